import { afterEach, beforeEach } from 'mocha'
import type { Phone, Sandbox, SandboxOptions } from '../../sandbox/index.js'
import { createSandbox } from '../../sandbox/index.js'
import { type Answered, ask } from './ask.js'

/** A fresh sandbox for each test of the surrounding `describe`, closed afterwards. */
export function aSandbox(options: SandboxOptions = {}): () => Sandbox {
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox(options)
  })
  afterEach(() => sandbox.close())
  return () => sandbox
}

/** A clock that stands still until it is moved. */
export class StoppedClock {
  now = Date.UTC(2026, 0, 1)
  readonly read = (): number => this.now
}

/** What an app's server asks WeChat for a code; `changes` replaces parameters, and `undefined` leaves one out. */
export function exchange(
  { url, app }: Sandbox,
  code: string,
  changes: Record<string, string | undefined> = {},
): Promise<Answered> {
  return ask(`${url}/sns/jscode2session?${code2SessionQuery({ ...app, js_code: code, ...changes })}`)
}

export async function logInAndExchange(sandbox: Sandbox, phone: Phone): Promise<Record<string, unknown>> {
  const { code } = await phone.wx.login()
  return (await exchange(sandbox, code)).json
}

function code2SessionQuery(parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ grant_type: 'authorization_code', ...parameters })) {
    if (value !== undefined) query.set(name, value)
  }
  return query.toString()
}
