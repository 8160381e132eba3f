import type { Results } from './results.js'
import { figure } from './statistics.js'
import { markdownTable, rowTable } from './table.js'
import type { Language } from './targets.js'

const WORDS = {
  en: {
    requests: [
      '64 connections',
      'CPU of the process, µs',
      'over its bare route, µs',
      'bytes allocated',
      'commands sent',
      'more in scripts',
      'CPU of Redis, µs',
    ],
    groups: ['where the CPU goes', '%'],
    files: ['of it this package', '%'],
    capacity: ['what', 'measured', 'so'],
    users: (count: string) => `${count} users with one session and a profile each`,
    second: (count: string) => `a second session for ${count} users`,
    redis: 'requests a second that one Redis answers at most',
    process: 'requests a second of one process at most, with a route that does nothing else',
    source: (command: string, day: string, where: string, load: string) =>
      `Made by \`${command}\` on ${day}, on ${where}; load average when it began: ${load}`,
  },
  zh: {
    requests: [
      '64 个连接',
      '进程的 CPU，µs',
      '比空路由多，µs',
      '分配的字节',
      '发出的命令',
      '脚本里另有',
      'Redis 的 CPU，µs',
    ],
    groups: ['CPU 花在哪里', '%'],
    files: ['其中本包', '%'],
    capacity: ['内容', '实测', '由此可得'],
    users: (count: string) => `${count} 个用户，每人一个会话加用户资料`,
    second: (count: string) => `${count} 个用户各再加一个会话`,
    redis: '一个 Redis 每秒最多回答的请求',
    process: '一个进程每秒最多处理的请求，路由本身什么也不做',
    source: (command: string, day: string, where: string, load: string) =>
      `由 \`${command}\` 于 ${day} 测得，环境：${where}；开始时的平均负载：${load}`,
  },
} as const
const MANY_USERS = 1_000_000
const MOST_FILES = 12

/** The tables that documents quote, by the name of their place. */
export function documentTables(results: Results, language: Language): Readonly<Record<string, string>> {
  return {
    source: source(results, language),
    rows: rowTable(results.rows, language),
    requests: requestTable(results, language),
    profile: profileTables(results, language),
    capacity: capacityTable(results, language),
  }
}

function source({ command, date, cpu, cores, loadAverage, versions }: Results, language: Language): string {
  const { node, 'redis-server': redis, ioredis, express, express4 } = versions
  const software = `Node ${node}, Redis ${redis}, ioredis ${ioredis}, Express ${express} / ${express4}`
  const [load = 0] = loadAverage
  return WORDS[language].source(command, date.slice(0, 10), `${cores} × ${cpu}, ${software}`, figure(load))
}

function requestTable({ figures }: Results, language: Language): string {
  const { cpu = {}, allocations = {}, commands = {} } = figures
  const lines = Object.entries(cpu).map(([name, { whole, added }]) => {
    const counted = commands[name]
    const counts = counted ? [counted.sent, counted.inScripts, counted.redisMicros].map(figure) : ['', '', '']
    return [
      name,
      figure(whole),
      name.startsWith('bare') ? '' : figure(added),
      number(allocations[name]),
      ...counts,
    ]
  })
  return markdownTable(WORDS[language].requests, lines)
}

function profileTables({ figures: { profile } }: Results, language: Language): string {
  const lines = (shares: Readonly<Record<string, number>>) =>
    Object.entries(shares).map(([name, share]) => [name, share.toFixed(1)])
  const { groups, files } = WORDS[language]
  return [
    markdownTable(groups, lines(profile?.groups ?? {})),
    markdownTable(files, lines(profile?.files ?? {}).slice(0, MOST_FILES)),
  ].join('\n\n')
}

function capacityTable({ figures }: Results, language: Language): string {
  const { bytes, cpu, commands } = figures
  const words = WORDS[language]
  const memory = (each = Number.NaN) => [
    `${figure(each)} B`,
    `${number(MANY_USERS)} × ${figure(each)} B = ${((MANY_USERS * each) / 1e9).toFixed(2)} GB`,
  ]
  const rate = (micros = Number.NaN) => [
    `${figure(micros)} µs`,
    `1,000,000 µs ÷ ${figure(micros)} µs = ${number(1_000_000 / micros)}`,
  ]
  const count = number(MANY_USERS)
  return markdownTable(words.capacity, [
    [words.users(count), ...memory(bytes?.first)],
    [words.second(count), ...memory(bytes?.second)],
    [words.redis, ...rate(commands?.['weapp-session']?.redisMicros)],
    [words.process, ...rate(cpu?.['weapp-session']?.whole)],
  ])
}

function number(value = Number.NaN): string {
  return Math.round(value).toLocaleString('en')
}
