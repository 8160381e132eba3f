import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exitOnSignals, gracefulShutdown } from 'weapp-session'
import type { AppRuntime } from './app-runtime.js'
import { createHttpServer } from './http-server.js'
import { watchParent } from './parent-watch.js'
import { isLoopback } from './showcase/from-here.js'

/** Serves the app until a signal ends the process. Prints the title and the URL. */
export async function serve(title: string, app: RequestListener, runtime: AppRuntime): Promise<void> {
  const server = createHttpServer(app)
  const shutDown = gracefulShutdown(server, { sessions: runtime.sessions })
  server.listen(runtime.port, runtime.host)
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    exitWith(new TypeError(whyNotListening(error, runtime)))
  })

  exitOnSignals(async () => {
    await shutDown()
    await runtime.close()
  })
  watchParent(process.env, () => process.kill(process.pid, 'SIGTERM'))

  const bound = server.address() as AddressInfo
  if (runtime.showcase && !isLoopback(bound.address)) process.stderr.write(warningFor(runtime))
  process.stdout.write(`${title}: ${welcome(urlOf(bound), runtime)}`)
}

/** Prints the error and ends the process. A `TypeError` is a wrong setting, so its message is enough. */
export function exitWith(error: unknown): never {
  process.stderr.write(`${error instanceof TypeError ? error.message : String(error)}\n`)
  process.exit(1)
}

function whyNotListening(
  { code }: NodeJS.ErrnoException,
  { port, host = 'all addresses' }: AppRuntime,
): string {
  return code === 'EADDRINUSE'
    ? `Port ${port} is in use; choose another one with PORT`
    : `HOST ${host}: ${code}`
}

function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return `http://127.0.0.1:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function warningFor({ host }: AppRuntime): string {
  return `HOST ${host} shows the page to others, too; its controls work on this machine only, at 127.0.0.1 or localhost\n`
}

function welcome(url: string, { showcase }: AppRuntime): string {
  if (!showcase) return `${url}\n`
  const { sandbox } = showcase
  return `${url}, on a fake WeChat: ${sandbox.url}

Open ${url} in a browser, or try it in another terminal:
  CODE=$(curl -s -X POST ${sandbox.url}/sandbox/login | sed 's/.*"code":"\\([^"]*\\)".*/\\1/')
  TOKEN=$(curl -s ${url}/login -d "{\\"code\\":\\"$CODE\\"}" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -i ${url}/me -H "x-3rd-session: $TOKEN"

`
}
