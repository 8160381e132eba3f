import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { compiledPath } from './compile.js'
import type { ChildReply, ChildRequest } from './replies.js'

interface Waiting {
  resolve(reply: unknown): void
  reject(error: Error): void
}

/** A process that runs a compiled file of the bench, and replies to what it is asked. */
export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #requests = 0

  constructor(name: string) {
    // Express and its peers are faster in production, and so are their users.
    const env = { ...process.env, NODE_ENV: 'production' }
    this.#process = fork(compiledPath(name), { execArgv: [], env })
    this.#process.on('message', (reply: ChildReply) => this.#settle(reply))
    this.#process.on('exit', (code) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process of ${name} has ended with ${code}`))
      this.#waiting.clear()
    })
  }

  async ask<Reply>(name: string, request?: unknown): Promise<Reply> {
    this.#requests += 1
    const id = this.#requests
    const reply = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    const message: ChildRequest = { id, name, request }
    this.#process.send(message)
    return (await reply) as Reply
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill()
    await exit
  }

  #settle({ id, reply, failure }: ChildReply): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (failure === undefined) waiting?.resolve(reply)
    else waiting?.reject(new Error(failure))
  }
}
