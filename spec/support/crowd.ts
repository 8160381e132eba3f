import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of its own that waits for its turn. */
export interface CrowdProcess {
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
}

/** Starts a crowd, such as `login-crowd.ts`, which says `ready` and waits. */
export async function startCrowd(script: string, job: object): Promise<CrowdProcess> {
  const path = fileURLToPath(import.meta.resolve(`./${script}`))
  const child = spawn(process.execPath, ['--import', 'tsx', path, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const { value } = await lines.next()
  if (value !== 'ready') throw new Error(`the crowd says ${value} where it has to be ready`)
  return { child, lines }
}

/** Lets a crowd go, and answers what it prints as JSON. */
export async function releaseCrowd({ child, lines }: CrowdProcess): Promise<string[]> {
  const exit = once(child, 'exit')
  child.stdin?.end('go\n')
  const { value } = await lines.next()
  await exit
  return JSON.parse(String(value)) as string[]
}
