import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../example-app/app.js'
import { readEnvironment, type Surroundings } from '../../example-app/environment.js'

/** The example app as `npm start` has it, in this process. */
export interface ShowcaseBed {
  readonly url: string
  readonly surroundings: Surroundings
  close(): Promise<void>
}

export async function openShowcaseBed(environment: Record<string, string> = {}): Promise<ShowcaseBed> {
  const surroundings = await readEnvironment(environment)
  const server = createServer(createApp(surroundings)).listen(0, surroundings.host)
  await once(server, 'listening')
  const { host = '127.0.0.1' } = surroundings
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    surroundings,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await surroundings.close()
    },
  }
}
