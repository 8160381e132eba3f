import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What an app server runs on. */
export interface AppSettings {
  readonly appid: string
  readonly secret: string
  readonly wechatUrl: string
  readonly redisPort: number
  /** The key that signs service tokens, in PEM. */
  readonly tokenKey: string
}

/** What its parent asks of it. */
export type AppRequest = 'usage'

/** What a process uses. */
export interface Usage {
  readonly heapBytes: number
  /** Sockets, timers and other resources that are open. */
  readonly handles: number
  /** How many lines it has written to its log. */
  readonly logLines: number
}

const PROGRAM = fileURLToPath(new URL('./app-process.ts', import.meta.url))
const running = new Set<ChildProcess>()

/** An app server in a process of its own, which can be ended in bad ways and started again. */
export class AppServer {
  readonly name: string
  readonly #settings: AppSettings
  #process: ChildProcess | undefined
  #url = ''
  #startedAt = 0
  #isEnding = false
  readonly #onCrash: (name: string, code: number | null) => void

  /** Tells of an end that was not asked for. */
  constructor(name: string, settings: AppSettings, onCrash: (name: string, code: number | null) => void) {
    this.name = name
    this.#settings = settings
    this.#onCrash = onCrash
  }

  get url(): string {
    return this.#url
  }

  /** When this process began, by `performance.now`. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(PROGRAM, [JSON.stringify(this.#settings)], {
      execArgv: ['--import', import.meta.resolve('tsx'), '--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    running.add(child)
    child.once('exit', (code) => {
      running.delete(child)
      if (!this.#isEnding) this.#onCrash(this.name, code)
    })
    this.#process = child
    this.#isEnding = false
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${this.name} ended before it listened`)
    })
    const [{ url }] = (await Promise.race([once(child, 'message'), ended])) as [{ url: string }]
    this.#url = url
    this.#startedAt = performance.now()
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#child
    return exitCode === null && signalCode === null
  }

  async usage(): Promise<Usage> {
    const reply = once(this.#child, 'message')
    this.#child.send('usage' satisfies AppRequest)
    const [usage] = await reply
    return usage as Usage
  }

  /** Ends it where it still runs, and returns the exit code; null where a signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode
    const exit = once(this.#child, 'exit')
    this.#isEnding = true
    this.#child.kill(signal)
    const [code] = await exit
    return code as number | null
  }

  get #child(): ChildProcess {
    if (!this.#process) throw new Error(`${this.name} was not started`)
    return this.#process
  }
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
