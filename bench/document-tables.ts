import { capacityTable, clusterTable, largeTable } from './capacity-tables.js'
import type { Results } from './results.js'
import { figure, grouped } from './statistics.js'
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
    source: (command: string, day: string, where: string, load: string) =>
      `由 \`${command}\` 于 ${day} 测得，环境：${where}；开始时的平均负载：${load}`,
  },
} as const
const MOST_FILES = 12

/** The tables that documents quote, by the name of their place. */
export function documentTables(results: Results, language: Language): Readonly<Record<string, string>> {
  return {
    source: source(results, language),
    rows: rowTable(results.rows, language),
    requests: requestTable(results, language),
    profile: profileTables(results, language),
    capacity: capacityTable(results.figures, language),
    cluster: clusterTable(results.figures, language),
    large: largeTable(results.figures, language),
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
      grouped(allocations[name]),
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
