import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../example-app/app.js'
import { type Runtime, readEnvironment } from '../../example-app/environment.js'

/** The example app as `npm start` has it, in this process. */
export interface ShowcaseBed {
  readonly url: string
  readonly runtime: Runtime
  close(): Promise<void>
}

export async function openShowcaseBed(environment: Record<string, string> = {}): Promise<ShowcaseBed> {
  const runtime = await readEnvironment(environment)
  const server = createServer(createApp(runtime)).listen(0, runtime.host)
  await once(server, 'listening')
  const { host = '127.0.0.1' } = runtime
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    runtime,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await runtime.close()
    },
  }
}
