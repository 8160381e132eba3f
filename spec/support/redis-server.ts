import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findRedisServer } from './redis-binary.js'

export interface RedisServerOptions {
  /** Further redis-server arguments; they override the defaults. */
  args?: string[]
  port?: number
  /** Write every command to disk, so that the data survive `kill()` and `restart()`. */
  keepData?: boolean
}

const startDeadline = 15_000
const portAttempts = 20
const running = new Set<RedisServer>()

/** A real redis-server of the tests' own, on 127.0.0.1 and in a temporary directory. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #args: string[]
  readonly #directory = mkdtempSync(join(tmpdir(), 'weapp-session-redis-'))
  #process: ChildProcess | undefined

  constructor(port: number, { args = [], keepData = false }: RedisServerOptions) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    const persistence = keepData ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
    const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', this.#directory]
    this.#args = [...place, '--save', '', ...persistence, ...args]
  }

  /** Starts again, on the same port, after `kill()` or in place of what still runs; once with further arguments. */
  async restart(args: readonly string[] = []): Promise<void> {
    await this.kill()
    const log = openSync(this.#logFile, 'w')
    this.#process = spawn(findRedisServer(), [...this.#args, ...args], { stdio: ['ignore', log, log] })
    closeSync(log)
    running.add(this)
    await this.#readiness(this.#process)
  }

  async stop(): Promise<void> {
    this.resume()
    await this.#end('SIGTERM')
    this.remove()
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** The server keeps its connections and accepts new ones, but answers nothing until `resume()`. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Leaves nothing behind, at once: all that can be done while the process exits. */
  remove(): void {
    this.#process?.kill('SIGKILL')
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 })
    running.delete(this)
  }

  get #logFile(): string {
    return join(this.#directory, 'redis.log')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (!child || hasEnded(child)) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }

  // The log tells apart our server from another one that holds the port, which a PING would not.
  async #readiness(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + startDeadline
    while (!this.#log().includes('Ready to accept connections')) {
      if (hasEnded(child)) throw new Error(`redis-server did not start:\n${this.#logTail()}`)
      if (Date.now() > deadline) throw new Error(`redis-server was not ready in time:\n${this.#logTail()}`)
      await delay(10)
    }
  }

  #log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  #logTail(): string {
    return this.#log().split('\n').slice(-12).join('\n')
  }
}

/** Starts on a port that is free: another process may take any port first, so this tries several. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new RedisServer(options.port ?? randomPort(), options)
    try {
      await server.restart()
      return server
    } catch (error) {
      server.remove()
      const portIsTaken = error instanceof Error && /address already in use/i.test(error.message)
      if (!portIsTaken || options.port || attempt === portAttempts) throw error
    }
  }
}

// Below the ports that systems give to clients, and so is the cluster bus, 10000 ports higher.
function randomPort(): number {
  return 10_000 + Math.floor(Math.random() * 12_000)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

process.once('exit', () => {
  for (const server of running) server.remove()
})
// Not `once`: a second Ctrl-C must not end the process in the midst of its exit.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]))
}
