import type { AppServer, Usage } from './app-server.js'

interface Sample extends Usage {
  readonly startedAt: number
  readonly at: number
}

/** What an app server used once it was warm, and at the end of the same process. */
export interface Grown {
  readonly server: string
  readonly minutes: number
  readonly first: Usage
  readonly last: Usage
  readonly isFlat: boolean
}

/** What may come and go with compiled code and open connections. */
const HEAP_SHARE = 1.1
const HEAP_BYTES = 4 * 1024 * 1024
const HANDLES = 10
/** As many connections to WeChat as may wait for the next call, with a timer each, and some more. */
const TIMERS_AND_SOCKETS = 300

/** Compares what the app servers use. To be measured while nothing is under way. */
export class Growth {
  readonly #warmUpMs: number
  readonly #samples = new Map<string, Sample[]>()

  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs
  }

  /** Rejects where one of them does not answer. */
  async measure(servers: readonly AppServer[]): Promise<void> {
    for (const server of servers.filter(({ isRunning }) => isRunning)) {
      const usage = await server.usage()
      const { name, startedAt } = server
      const sample = { ...usage, startedAt, at: performance.now() }
      if (sample.at - startedAt < this.#warmUpMs) continue
      this.#samples.set(name, [...(this.#samples.get(name) ?? []), sample])
    }
  }

  /** The process of each server that was watched for longest. */
  all(): Grown[] {
    return [...this.#samples].flatMap(([server, samples]) => {
      const firsts = samples.filter(({ startedAt }, place) => startedAt !== samples[place - 1]?.startedAt)
      const spans = firsts.map((first) => grownIn(server, first, samples.findLast(isOf(first)) ?? first))
      const watched = spans.filter(({ minutes }) => minutes > 0)
      return watched.sort((one, other) => other.minutes - one.minutes).slice(0, 1)
    })
  }
}

function isOf({ startedAt }: Sample): (sample: Sample) => boolean {
  return (sample) => sample.startedAt === startedAt
}

function grownIn(server: string, first: Sample, last: Sample): Grown {
  return { server, minutes: (last.at - first.at) / 60_000, first, last, isFlat: isFlat(first, last) }
}

export function isFlat(first: Usage, last: Usage): boolean {
  return (
    last.heapBytes <= first.heapBytes * HEAP_SHARE + HEAP_BYTES &&
    last.handles <= first.handles + HANDLES &&
    last.timersAndSockets <= first.timersAndSockets + TIMERS_AND_SOCKETS
  )
}
