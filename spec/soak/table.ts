import type { Usage } from './app-server.js'
import type { Grown } from './growth.js'
import { NEEDS } from './operations.js'
import type { Recovered } from './recovery.js'

/** What a soak has come to. */
export interface Results {
  readonly minutes: number
  readonly requests: number
  readonly refusedInCalm: number
  readonly wrong: number
  readonly lost: number
  readonly revived: number
  readonly recovered: readonly Recovered[]
  readonly grown: readonly Grown[]
}

/** What a busy machine may cost, whose deadlines pass now and then. */
const MOST_REFUSED_SHARE = 0.01

/** Whether all is as it must be, and growth was measured at all. */
export function isSound(results: Results): boolean {
  const { wrong, lost, revived, recovered, grown, requests, refusedInCalm } = results
  const isCalm = refusedInCalm <= requests * MOST_REFUSED_SHARE
  const isFlat = grown.length > 0 && grown.every((one) => one.isFlat)
  return wrong + lost + revived + neverBack(recovered) === 0 && isCalm && isFlat
}

/** The results in Markdown. */
export function resultTables(results: Results): string {
  const { minutes, requests, refusedInCalm, wrong, lost, revived, recovered, grown } = results
  const perSecond = Math.round(requests / (minutes * 60))
  const rows = [
    ['requests', `${grouped(requests)} in ${minutes} minutes, ${perSecond} a second`, ''],
    ['faults', String(recovered.length), ''],
    ['wrong answers', String(wrong), '0'],
    ['lost: acknowledged sessions that are refused', String(lost), '0'],
    ['revived: ended sessions that are accepted', String(revived), '0'],
    ['not back when the next fault began', String(neverBack(recovered)), '0'],
    ['refused while nothing was wrong', String(refusedInCalm), 'at most 1 % of the requests'],
    ...grown.flatMap(grownRows),
  ]
  return `${table(['what', 'measured', 'must be'], rows)}\n\n${recoveryTable(recovered)}`
}

function grownRows({ server, minutes, first, last, isFlat }: Grown): string[][] {
  const over = `${server}, over ${minutes.toFixed(1)} minutes`
  const megabytes = ({ heapBytes }: Usage) => (heapBytes / 1024 / 1024).toFixed(1)
  const verdict = isFlat ? 'flat' : 'flat: **it is not**'
  return [
    [`heap of ${over}`, `${megabytes(first)} → ${megabytes(last)} MB`, verdict],
    [`handles of ${over}`, `${first.handles} → ${last.handles}`, verdict],
    [`timers and sockets of ${over}`, `${first.timersAndSockets} → ${last.timersAndSockets}`, verdict],
    [`lines in the log of ${over}`, grouped(last.logLines - first.logLines), ''],
  ]
}

function recoveryTable(recovered: readonly Recovered[]): string {
  const faults = [...new Set(recovered.map(({ fault }) => fault))].sort()
  const rows = faults.map((name) => {
    const times = recovered.filter(({ fault }) => fault === name)
    return [
      name,
      String(times.length),
      ...NEEDS.map((need) => medianAndMost(times.map(({ ms }) => ms[need]))),
    ]
  })
  const heads = NEEDS.map((need) => `first ${need}, ms`)
  return table(['fault', 'times', ...heads], rows)
}

/** The median and the most; of one, that alone. */
function medianAndMost(given: readonly (number | undefined)[]): string {
  const sorted = given.map((ms) => Math.round(ms ?? Number.POSITIVE_INFINITY)).sort((a, b) => a - b)
  const [median = 0, most = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)]
  return sorted.length > 1 ? `${shown(median)}, at most ${shown(most)}` : shown(most)
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? grouped(ms) : 'not back'
}

function neverBack(recovered: readonly Recovered[]): number {
  return recovered.filter(({ ms }) => NEEDS.some((need) => ms[need] === undefined)).length
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function grouped(count: number): string {
  return count.toLocaleString('en')
}
