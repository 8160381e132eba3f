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
  /** With what buffers hold outside of the heap. */
  readonly heapBytes: number
  /** Sockets, timers and other resources that keep the process. */
  readonly handles: number
  /** All that there are, also those that keep no process. */
  readonly timersAndSockets: number
  /** How many lines it has written to its log. */
  readonly logLines: number
}

const PROGRAM = fileURLToPath(new URL('./app-process.ts', import.meta.url))
/** Longer than an app server that works takes for each of these, however slow the machine. */
const [MOST_START_MS, MOST_REPLY_MS, MOST_END_MS] = [60_000, 20_000, 40_000]
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

  /** Whether it has to answer at this URL: it has not been told to end, nor been replaced since. */
  hasToAnswerAt(url: string): boolean {
    return url === this.#url && !this.#isEnding
  }

  /** When this process began, by `performance.now`. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(PROGRAM, [JSON.stringify(this.#settings)], {
      execArgv: [
        '--import',
        import.meta.resolve('tsx'),
        '--expose-gc',
        '--disable-warning=ExperimentalWarning',
      ],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    running.add(child)
    child.once('exit', (code) => {
      running.delete(child)
      if (!this.#isEnding) this.#onCrash(this.name, code)
    })
    this.#process = child
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${this.name} ended before it listened`)
    })
    const signal = AbortSignal.timeout(MOST_START_MS)
    const [{ url }] = (await Promise.race([once(child, 'message', { signal }), ended])) as [{ url: string }]
    this.#url = url
    this.#isEnding = false
    this.#startedAt = performance.now()
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#child
    return exitCode === null && signalCode === null
  }

  /** Rejects where it does not answer. */
  async usage(): Promise<Usage> {
    const reply = once(this.#child, 'message', { signal: AbortSignal.timeout(MOST_REPLY_MS) })
    this.#child.send('usage' satisfies AppRequest)
    const [usage] = await reply
    return usage as Usage
  }

  /** Ends it where it still runs, and returns the exit code; null where it had to be killed. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode
    const exit = once(this.#child, 'exit')
    this.#isEnding = true
    this.#child.kill(signal)
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), MOST_END_MS)
    const [code] = await exit
    clearTimeout(killing)
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
