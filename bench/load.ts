import autocannon from 'autocannon'
import { replyToParent } from './replies.js'

/** A request of a client. */
export interface Shot {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
}

export interface Load {
  readonly name: string
  readonly url: string
  readonly shots: readonly Shot[]
}

export interface LoadRequest {
  readonly name: string
  readonly connections: number
  readonly requests: number
}

const loads = new Map<string, Load>()

replyToParent({
  aim(load: Load): void {
    loads.set(load.name, load)
  },
  /** Sends requests, each of which must succeed; returns how many milliseconds that took. */
  async run({ name, connections, requests }: LoadRequest): Promise<number> {
    const { url, shots } = loads.get(name) as Load
    let opened = 0
    const result = await autocannon({
      url,
      connections,
      amount: requests,
      // Each connection has users of its own: no two ask for the same session at the same moment.
      setupClient(client) {
        const place = opened % connections
        opened += 1
        client.setRequests(shots.filter((_, at) => at % connections === place).map((shot) => ({ ...shot })))
      },
    })
    if (result['2xx'] !== requests) {
      throw new Error(`${name}: ${result['2xx']} of ${requests} requests succeeded`)
    }
    return result.duration * 1000
  },
})
