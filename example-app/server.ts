import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createApp } from './app.js'
import { type Runtime, readEnvironment } from './environment.js'
import { createHttpServer } from './http-server.js'
import { isLoopback } from './showcase/from-here.js'
import { gracefulShutDown } from './shut-down.js'

const SHUTDOWN_MS = 10_000

const runtime = await readEnvironment(process.env).catch(endBecauseOf)
const server = createHttpServer(createApp(runtime))
const stopServing = gracefulShutDown(server)
server.listen(runtime.port, runtime.host)
await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
  const { port, host = 'all addresses' } = runtime
  const isTaken = error.code === 'EADDRINUSE'
  endBecauseOf(
    new TypeError(
      isTaken ? `Port ${port} is in use; choose another one with PORT` : `HOST ${host}: ${error.code}`,
    ),
  )
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void shutDown().catch(endBecauseOf))
}
const bound = server.address() as AddressInfo
if (runtime.showcase && !isLoopback(bound.address)) process.stderr.write(warningFor(runtime))
process.stdout.write(welcome(urlOf(bound), runtime))

async function shutDown(): Promise<void> {
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
  await stopServing()
  await runtime.close()
}

function endBecauseOf(error: unknown): never {
  process.stderr.write(`${error instanceof TypeError ? error.message : String(error)}\n`)
  process.exit(1)
}

function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return `http://127.0.0.1:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function warningFor({ host }: Runtime): string {
  return `HOST ${host} shows the page to others, too; its levers answer this machine only, at 127.0.0.1 or localhost\n`
}

function welcome(url: string, { showcase }: Runtime): string {
  if (!showcase) return `weapp-session example: ${url}\n`
  const { sandbox } = showcase
  return `weapp-session example: ${url}, on a fake WeChat: ${sandbox.url}

Open ${url} in a browser, or try it in another terminal:
  CODE=$(curl -s -X POST ${sandbox.url}/sandbox/login | sed 's/.*"code":"\\([^"]*\\)".*/\\1/')
  TOKEN=$(curl -s ${url}/login -d "{\\"code\\":\\"$CODE\\"}" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -i ${url}/me -H "x-3rd-session: $TOKEN"

`
}
