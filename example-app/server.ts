import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from './app.js'
import { readEnvironment, type Surroundings } from './environment.js'

const SHUTDOWN_MS = 10_000

const surroundings = await readEnvironment(process.env).catch((error: unknown) => {
  process.stderr.write(`${error instanceof TypeError ? error.message : String(error)}\n`)
  process.exit(1)
})
const server = createServer(createApp(surroundings))
server.listen(surroundings.port, surroundings.host)
await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  process.stderr.write(`Port ${surroundings.port} is in use; choose another one with PORT\n`)
  process.exit(1)
})
const { port } = server.address() as AddressInfo
process.stdout.write(welcome(`http://127.0.0.1:${port}`, surroundings))

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shutDown())

/** Takes no new requests, lets the running ones end, then gives everything back. */
async function shutDown(): Promise<void> {
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
  server.close()
  // A connection that a browser keeps would stay open for seconds after its last request.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  await once(server, 'close')
  clearInterval(sweep)
  await surroundings.close()
}

function welcome(url: string, { showcase }: Surroundings): string {
  if (!showcase) return `weapp-session example: ${url}\n`
  const { sandbox } = showcase
  return `weapp-session example: ${url}, on a fake WeChat: ${sandbox.url}

Open ${url} in a browser, or try it in another terminal:
  CODE=$(curl -s -X POST ${sandbox.url}/sandbox/login | sed 's/.*"code":"\\([^"]*\\)".*/\\1/')
  TOKEN=$(curl -s ${url}/login -d "{\\"code\\":\\"$CODE\\"}" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -i ${url}/me -H "x-3rd-session: $TOKEN"

`
}
