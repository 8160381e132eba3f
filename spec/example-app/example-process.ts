import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const running = new Set<ChildProcess>()

/** The example app in a process of its own. */
export interface ExampleProcess {
  readonly process: ChildProcess
  readonly url: string
  readonly wechatUrl: string
  /** Both streams, as far as they have come. */
  output(): string
}

/** Starts it as `npm start` does, with these variables alone, and waits until it says where it listens. */
export async function startExample(
  environment: Record<string, string> = {},
  folder = ROOT,
): Promise<ExampleProcess> {
  const args = ['--import', import.meta.resolve('tsx'), `${ROOT}example-app/server.ts`]
  const tsconfig = process.env.TSX_TSCONFIG_PATH ?? `${ROOT}tsconfig.json`
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH: tsconfig, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = once(child, 'close').then(() => expect.fail(`it ended: ${output}`))
  while (!/^weapp-session example: .*\n/m.test(output))
    await Promise.race([once(child.stdout, 'data'), ended])
  const [url = '', wechatUrl = ''] = output.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []
  return { process: child, url, wechatUrl, output: () => output }
}

/** Ends one as an operator does, and waits until it is gone and all that it wrote has come. */
export async function stopExample({ process: child }: ExampleProcess): Promise<void> {
  const end = once(child, 'close')
  child.kill('SIGTERM')
  await end
}

/** Ends whatever still runs. */
export function killExamples(): void {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}
