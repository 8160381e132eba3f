import type { Profiler } from 'node:inspector'

/** The share of the time of each group, in percent of what was not idle. */
export type ProfileShares = Readonly<Record<string, number>>

export interface ProfileSummary {
  readonly groups: ProfileShares
  /** The files of this package. */
  readonly files: ProfileShares
  /** The functions that took most of the time themselves. */
  readonly functions: ProfileShares
}

const MOST_FUNCTIONS = 40
const WRITES = /^write(?:v|Buffer|\w+String)$/
const IOREDIS =
  /^(?:ioredis|@ioredis\/.+|redis-parser|redis-errors|denque|standard-as-callback|cluster-key-slot)$/

/** Sums a CPU profile of a server up, by self time. */
export function summarize(profile: Profiler.Profile): ProfileSummary {
  const self = selfTimes(profile)
  const busy = profile.nodes.filter(({ callFrame }) => callFrame.functionName !== '(idle)')
  const total = busy.reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0)
  const shares = (nameOf: (frame: Profiler.Profile['nodes'][number]['callFrame']) => string | undefined) => {
    const sums = new Map<string, number>()
    for (const { id, callFrame } of busy) {
      const name = nameOf(callFrame)
      if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + ((self.get(id) ?? 0) * 100) / total)
    }
    const sorted = [...sums].sort(([, a], [, b]) => b - a)
    return Object.fromEntries(sorted.map(([name, share]) => [name, Math.round(share * 100) / 100]))
  }
  const functions = shares(
    ({ url, functionName, lineNumber }) =>
      `${functionName || '(anonymous)'} ${shortPath(url)}:${lineNumber + 1}`,
  )
  return {
    groups: shares(({ url, functionName }) => groupOf(url, functionName)),
    files: shares(({ url }) => (isOurs(url) ? shortPath(url) : undefined)),
    functions: Object.fromEntries(Object.entries(functions).slice(0, MOST_FUNCTIONS)),
  }
}

function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const times = new Map<number, number>()
  samples.forEach((id, place) => {
    // The time until the next sample belongs to this one.
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[place + 1] ?? 0))
  })
  return times
}

function isOurs(url: string): boolean {
  return url.includes('/bench/compiled/lib/')
}

function shortPath(url: string): string {
  return url.replace(/^.*\/(?:compiled|node_modules)\//, '').replace(/\.js$/, isOurs(url) ? '.ts' : '.js')
}

function groupOf(url: string, functionName: string): string {
  if (isOurs(url)) return 'this package'
  const [, name = ''] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? []
  if (IOREDIS.test(name)) return 'ioredis'
  if (name !== '') return 'Express and what it requires'
  if (url.includes('/bench/compiled/')) return 'the route'
  if (/^node:(?:_http|internal\/http|http)/.test(url)) return 'node:http'
  if (/^node:(?:net|internal\/(?:stream|streams|js_stream)|stream)/.test(url)) return 'node:net and streams'
  if (url.startsWith('node:')) return 'the rest of Node'
  if (functionName === '(garbage collector)') return 'garbage collection'
  return WRITES.test(functionName) ? 'writes to sockets' : 'native code'
}
