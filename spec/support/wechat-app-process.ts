import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { WechatAppJob, WechatAppOrder } from './wechat-app.js'

/** No pause of a breaker or a brake is longer. */
const LONGEST_PAUSE_MS = 10_000
/** An answer that takes longer than the deadline of WeChat by so much has none: the machine may be busy. */
const SLACK_MS = 15_000

export interface Answer {
  readonly status: number
  /** The code of the error, or `ok`. */
  readonly code: string
  /** Of a login. */
  readonly token: string
  /** Of who is logged in. */
  readonly openid: string
  readonly retryAfter: string | null
}

/** A server of an application as a process of its own. */
export class WechatApp {
  readonly #child: ChildProcess
  readonly #url: string
  readonly #job: WechatAppJob
  readonly #log: Promise<string>

  private constructor(child: ChildProcess, port: number, job: WechatAppJob) {
    this.#child = child
    this.#url = `http://127.0.0.1:${port}`
    this.#job = job
    this.#log = text(child.stderr as NonNullable<typeof child.stderr>)
  }

  static async start(job: WechatAppJob): Promise<WechatApp> {
    const path = fileURLToPath(import.meta.resolve('./wechat-app.ts'))
    const child = spawn(process.execPath, ['--import', 'tsx', path, JSON.stringify(job)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new WechatApp(child, port, job)
  }

  /** With several apps the login says of which it is. */
  async logIn(code: string, appid?: string): Promise<Answer> {
    return this.#post('/login', { code, appid })
  }

  async phoneNumber(code: string, appid?: string): Promise<Answer> {
    return this.#post('/phone-number', { code, appid })
  }

  async me(token: string): Promise<Answer> {
    return this.#ask('/me', { headers: { 'x-3rd-session': token } })
  }

  async accessToken(): Promise<Answer> {
    return this.#ask('/access-token')
  }

  /** Lets the longest pause pass by the clock of the process. */
  async pass(advanceMs = LONGEST_PAUSE_MS): Promise<void> {
    await this.#order({ advanceMs })
  }

  /** How much memory the process has, in bytes. */
  async memory(): Promise<number> {
    return this.#order<number>('memory')
  }

  async letDnsReply(): Promise<void> {
    await this.#order('dns')
  }

  /** Ends the process, and returns the lines of its log. */
  async end(): Promise<string[]> {
    const exit = once(this.#child, 'exit')
    this.#child.send('end' satisfies WechatAppOrder)
    const [code, signal] = await exit
    if (code !== 0) throw new Error(`the process ended with ${code ?? signal}: ${await this.#log}`)
    return (await this.#log).split('\n').filter((line) => line !== '')
  }

  /** Ends it whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #order<Reply>(order: WechatAppOrder): Promise<Reply> {
    const done = once(this.#child, 'message')
    this.#child.send(order)
    const [reply] = await done
    return reply as Reply
  }

  async #post(path: string, fields: object): Promise<Answer> {
    return this.#ask(path, { method: 'POST', body: JSON.stringify(fields), headers: JSON_HEADERS })
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#job.timeoutMs + SLACK_MS)
    const response = await fetch(this.#url + path, { ...init, signal })
    const { code = 'ok', token = '', openid = '' } = (await response.json()) as Partial<Answer>
    return { status: response.status, code, token, openid, retryAfter: response.headers.get('retry-after') }
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' }

/** How many answers there are of each code. */
export function countsOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code } of answers) counts[code] = (counts[code] ?? 0) + 1
  return counts
}
