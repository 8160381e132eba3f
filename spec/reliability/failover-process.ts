import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FailoverAppSettings } from './failover-app.js'

const APP = fileURLToPath(new URL('./failover-app.ts', import.meta.url))

/** An app server in a process of its own. */
export class FailoverProcess {
  readonly url: string
  /** What it wrote to its log. */
  log = ''
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: string) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
    child.stderr?.on('data', (text) => {
      this.log += text
    })
  }

  static async start(settings: FailoverAppSettings): Promise<FailoverProcess> {
    const args = ['--import', import.meta.resolve('tsx'), APP, JSON.stringify(settings)]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const [port] = await once(createInterface({ input: child.stdout }), 'line')
    return new FailoverProcess(child, String(port))
  }

  /** Sets its clock, as an operator or a wrong time server does. */
  async setClock(offsetMs: number): Promise<void> {
    await fetch(`${this.url}/clock/${offsetMs}`, { method: 'POST' })
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await exit
  }
}
