import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What an app server runs on. */
export interface AppJob {
  readonly redisPort: number
  /** The settings of its Redis client: those of the package, or what users may have. */
  readonly client: 'recommended' | 'impatient' | 'default' | 'hasty'
}

/** What a process uses at the moment. */
export interface AppUsage {
  readonly heapBytes: number
  /** Commands that the client holds because Redis has not replied. */
  readonly outstanding: number
  /** What was logged since it was last asked. */
  readonly log: readonly string[]
}

const PROGRAM = fileURLToPath(import.meta.resolve('./redis-app.ts'))
const running = new Set<ChildProcess>()

/** An app server in a process of its own. */
export class RedisAppProcess {
  readonly url: string
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.url = `http://127.0.0.1:${port}`
  }

  /** Resolves when it listens. */
  static async start(job: AppJob): Promise<RedisAppProcess> {
    const child = fork(PROGRAM, [JSON.stringify(job)], {
      execArgv: ['--import', import.meta.resolve('tsx'), '--expose-gc'],
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    const ended = once(child, 'exit').then(() => {
      throw new Error('the app server ended before it listened')
    })
    const [port] = await Promise.race([once(child, 'message'), ended])
    ended.catch(() => undefined)
    return new RedisAppProcess(child, port)
  }

  async usage(): Promise<AppUsage> {
    const told = once(this.#process, 'message')
    this.#process.send('usage')
    const [usage] = await told
    return usage
  }

  async stop(): Promise<void> {
    const end = once(this.#process, 'exit')
    this.#process.disconnect()
    await end
  }
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
