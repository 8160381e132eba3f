import type { ClusterCost, Figures } from './figures.js'
import { figure, grouped } from './statistics.js'
import { markdownTable } from './table.js'
import type { Language } from './targets.js'

const WORDS = {
  en: {
    capacity: ['what', 'measured', 'so'],
    users: (count: string) => `${count} users with one session and a profile each`,
    second: (count: string) => `a second session for ${count} users`,
    redis: 'requests a second that one Redis answers at most',
    process: 'requests a second of one process at most, with a route that does nothing else',
    cluster: [
      'for each',
      'commands to masters of users and values',
      'their CPU, µs',
      'commands to the master of `weapp:all`',
      'its CPU, µs',
    ],
    request: 'authenticated request',
    visit: 'authenticated request whose visit is written down',
    login: 'login with a profile and `onLogin`',
    revokeUser: '`revokeUser`, 1,000 at once',
    large: ['what', 'so'],
    memory: 'memory of all users, every fifth with a second session',
    values: 'memory of recent logins',
    mastersByMemory: 'masters, with 8 GB of data each',
    requests: 'requests a second',
    visits: 'visits written down a second',
    logins: 'logins a second',
    usersCpu: 'CPU of all masters of users and values, µs a second',
    mastersByCpu: 'masters, with half of a core each',
    marks: 'questions for `weapp:all` a second, at most',
    marksCpu: 'CPU of the master of `weapp:all`, µs a second, at most',
    servers: 'servers, one of the masters for `weapp:all` alone, each with a replica',
    processes: 'processes, with half of a core each for this package alone',
  },
  zh: {
    capacity: ['内容', '实测', '由此可得'],
    users: (count: string) => `${count} 个用户，每人一个会话加用户资料`,
    second: (count: string) => `${count} 个用户各再加一个会话`,
    redis: '一个 Redis 每秒最多回答的请求',
    process: '一个进程每秒最多处理的请求，路由本身什么也不做',
    cluster: [
      '每一次',
      '发给用户和值所在主节点的命令数',
      '这些主节点的 CPU，µs',
      '发给 `weapp:all` 所在主节点的命令数',
      '这个主节点的 CPU，µs',
    ],
    request: '已登录的请求',
    visit: '已登录的请求，并记录这次访问',
    login: '登录，带用户资料和 `onLogin`',
    revokeUser: '`revokeUser`，同时 1,000 次',
    large: ['内容', '计算'],
    memory: '全部用户的内存，每五人有一人有第二个会话',
    values: '最近的登录占的内存',
    mastersByMemory: '主节点数，每个放 8 GB 数据',
    requests: '每秒请求数',
    visits: '每秒记录的访问数',
    logins: '每秒登录数',
    usersCpu: '用户和值所在的全部主节点，每秒用的 CPU，µs',
    mastersByCpu: '主节点数，每个用半个核',
    marks: '每秒最多读多少次 `weapp:all`',
    marksCpu: '`weapp:all` 所在的主节点，每秒最多用的 CPU，µs',
    servers: '服务器数，其中一个主节点只放 `weapp:all`，每个主节点带一个副本',
    processes: '进程数，每个为本包用半个核',
  },
} as const

const MANY_USERS = 1_000_000

/** What one Redis and one process hold and answer. */
export function capacityTable({ bytes, cpu, commands }: Figures, language: Language): string {
  const words = WORDS[language]
  const memory = (each = Number.NaN) => [
    `${figure(each)} B`,
    `${grouped(MANY_USERS)} × ${figure(each)} B = ${((MANY_USERS * each) / 1e9).toFixed(2)} GB`,
  ]
  const rate = (micros = Number.NaN) => [
    `${figure(micros)} µs`,
    `1,000,000 µs ÷ ${figure(micros)} µs = ${grouped(1_000_000 / micros)}`,
  ]
  const count = grouped(MANY_USERS)
  return markdownTable(words.capacity, [
    [words.users(count), ...memory(bytes?.first)],
    [words.second(count), ...memory(bytes?.second)],
    [words.redis, ...rate(commands?.['weapp-session']?.redisMicros)],
    [words.process, ...rate(cpu?.['weapp-session']?.whole)],
  ])
}

/** What calls cost the masters of a Cluster. */
export function clusterTable({ cluster }: Figures, language: Language): string {
  const words = WORDS[language]
  const line = (what: string, cost: ClusterCost | undefined) => [
    what,
    ...[cost?.users.commands, cost?.users.cpu, cost?.marks.commands, cost?.marks.cpu].map(
      (value = Number.NaN) => figure(value),
    ),
  ]
  return markdownTable(words.cluster, [
    line(words.request, cluster?.request),
    line(words.visit, cluster?.visit),
    line(words.login, cluster?.login),
    line(words.revokeUser, cluster?.revokeUser),
  ])
}

/** How many there are, how many of them come on a day, and how many of those have to log in. */
const USERS = { all: 100_000_000, ofTheDay: 20_000_000, loggingIn: 5_000_000 }
const REQUESTS_OF_A_USER = 30
const BUSY_SECONDS = 4 * 3600
/** A visit is written down once in 2 % of 7 days. */
const VISIT_SECONDS = 7 * 86_400 * 0.02
const VALUE_SECONDS = 300
const DATA_OF_A_MASTER_GB = 8
/** Half of a core. */
const MICROS_OF_A_MASTER = 500_000

/** The arithmetic for a hundred million users. */
export function largeTable({ bytes, cpu, cluster }: Figures, language: Language): string {
  const words = WORDS[language]
  const { first = Number.NaN, second = Number.NaN } = bytes ?? {}
  const more = Math.round(cluster?.moreBytesOfKey ?? Number.NaN)
  const memory = (USERS.all * (Math.round(first) + more) + USERS.ofTheDay * Math.round(second)) / 1e9
  const requests = Math.round((USERS.ofTheDay * REQUESTS_OF_A_USER) / BUSY_SECONDS)
  const visits = Math.round(USERS.ofTheDay / VISIT_SECONDS)
  const logins = Math.round(USERS.loggingIn / BUSY_SECONDS)
  const shown = (value = Number.NaN) => Number(figure(value))
  const [each, whole] = [shown(cluster?.loginBytes), shown(cpu?.['weapp-session']?.whole)]
  const costs = [cluster?.request, cluster?.visit, cluster?.login].map((cost) => shown(cost?.users.cpu))
  const calls = [requests - visits, visits, logins]
  const usersCpu = calls.reduce((sum, count, at) => sum + count * (costs[at] ?? Number.NaN), 0)
  const perLogin = Math.ceil(cluster?.login.marks.commands ?? Number.NaN)
  const marks = requests + visits + logins * perLogin
  const { cpu: marksCpu, commands } = cluster?.revokeUser.marks ?? { cpu: Number.NaN, commands: Number.NaN }
  const mark = shown(marksCpu / commands)
  const masters = Math.ceil(Math.max(memory / DATA_OF_A_MASTER_GB, usersCpu / MICROS_OF_A_MASTER))
  const n = grouped
  return markdownTable(words.large, [
    [
      words.memory,
      `${n(USERS.all)} × (${n(first)} B + ${n(more)} B) + ${n(USERS.ofTheDay)} × ${n(second)} B = ${memory.toFixed(1)} GB`,
    ],
    [
      words.mastersByMemory,
      `${memory.toFixed(1)} GB ÷ ${DATA_OF_A_MASTER_GB} GB = ${upTo(memory / DATA_OF_A_MASTER_GB)}`,
    ],
    [words.requests, `${n(USERS.ofTheDay)} × ${REQUESTS_OF_A_USER} ÷ ${n(BUSY_SECONDS)} s = ${n(requests)}`],
    [words.visits, `${n(USERS.ofTheDay)} ÷ ${n(VISIT_SECONDS)} s = ${n(visits)}`],
    [words.logins, `${n(USERS.loggingIn)} ÷ ${n(BUSY_SECONDS)} s = ${n(logins)}`],
    [
      words.values,
      `${n(logins)} × ${VALUE_SECONDS} s × (${n(each)} B − ${n(first)} B) = ${((logins * VALUE_SECONDS * (each - Math.round(first))) / 1e9).toFixed(2)} GB`,
    ],
    [
      words.usersCpu,
      `${calls.map((count, at) => `${n(count)} × ${figure(costs[at] ?? Number.NaN)}`).join(' + ')} = ${n(usersCpu)}`,
    ],
    [
      words.mastersByCpu,
      `${n(usersCpu)} ÷ ${n(MICROS_OF_A_MASTER)} = ${upTo(usersCpu / MICROS_OF_A_MASTER)}`,
    ],
    [words.marks, `${n(requests)} + ${n(visits)} + ${n(logins)} × ${perLogin} = ${n(marks)}`],
    [words.marksCpu, `${n(marks)} × ${figure(mark)} = ${n(marks * mark)}`],
    [words.servers, `(${masters} + 1) × 2 = ${(masters + 1) * 2}`],
    [
      words.processes,
      `${n(requests)} × ${figure(whole)} µs ÷ ${n(MICROS_OF_A_MASTER)} µs = ${upTo((requests * whole) / MICROS_OF_A_MASTER)}`,
    ],
  ])
}

/** Of things that come whole, and two digits of what it was. */
function upTo(value: number): string {
  return `${value.toFixed(2)} → ${Math.ceil(value)}`
}
