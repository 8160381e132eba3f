import type { Sandbox } from '../../sandbox/index.js'
import { EXCHANGE } from './faults.js'
import type { Model } from './model.js'

/** The login codes that have reached WeChat. Each goes there once, as phones never send one again. */
export class SentCodes {
  readonly #sandbox: Pick<Sandbox, 'calls' | 'clearCalls'>
  readonly #model: Pick<Model, 'wrong'>
  readonly #seen = new Set<string>()

  constructor(sandbox: Pick<Sandbox, 'calls' | 'clearCalls'>, model: Pick<Model, 'wrong'>) {
    this.#sandbox = sandbox
    this.#model = model
  }

  /** Looks at what has come since the last time. */
  check({ mayComeAgain }: { mayComeAgain: boolean }): void {
    const codes = this.#sandbox.calls(EXCHANGE).map(({ query }) => query.js_code ?? '')
    const before = this.#seen.size
    for (const code of codes) this.#seen.add(code)
    this.#sandbox.clearCalls()
    const again = codes.length - (this.#seen.size - before)
    if (again > 0 && !mayComeAgain) this.#model.wrong(`login codes that are sent to WeChat again: ${again}`)
  }
}
