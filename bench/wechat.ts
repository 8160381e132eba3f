import { createSandbox, type Sandbox } from '../sandbox/index.js'
import { replyToParent } from './replies.js'
import { APP } from './sample-users.js'

const EXCHANGE = '/sns/jscode2session'

let sandbox: Sandbox

replyToParent({
  /** Starts a fake WeChat, and returns its address. */
  async open(): Promise<string> {
    sandbox = await createSandbox({ apps: [APP] })
    return sandbox.url
  },
  /** Returns login codes, each of a user of its own. */
  async codes(count: number): Promise<string[]> {
    const logins = Array.from({ length: count }, async () => (await sandbox.phone().wx.login()).code)
    return Promise.all(logins)
  },
  exchanges: () => sandbox.callCount(EXCHANGE),
})
