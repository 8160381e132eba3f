import type { RequestOptions, RequestResult } from '../../../sandbox/index.js'
import { type ExampleBed, openExampleBed } from '../../support/example-bed.js'
import { type MiniProgram, startMiniProgram } from './mini-program.js'

const HEADER = 'x-3rd-session'

/** The example app, and its mini-program on a phone. */
export interface MiniProgramBed extends ExampleBed {
  readonly miniProgram: MiniProgram
  /** Ends the mini-program and starts it again: what the phone has stored stays. */
  restart(): MiniProgram
  /** Logs in on another phone of the same user; answers how to log out there. */
  logInOnAnotherPhone(): Promise<() => Promise<unknown>>
  /** Asks the back end beside the pages, with the token that they use. */
  ask<Data>(path: string, options?: Partial<RequestOptions>): Promise<RequestResult<Data>>
  close(): Promise<void>
}

export async function openMiniProgramBed(): Promise<MiniProgramBed> {
  const bed = await openExampleBed({})
  const { phone, sandbox, url } = bed
  let miniProgram = startMiniProgram(phone, url)

  return {
    ...bed,
    get miniProgram() {
      return miniProgram
    },
    restart() {
      miniProgram.close()
      miniProgram = startMiniProgram(phone, url)
      return miniProgram
    },
    async logInOnAnotherPhone() {
      const { wx } = sandbox.phone({ user: phone.user })
      const { code } = await wx.login()
      const login = { url: `${url}/login`, method: 'POST', data: { code } }
      const header = { [HEADER]: (await wx.request<{ token: string }>(login)).data.token }
      return () => wx.request({ url: `${url}/logout`, method: 'POST', header })
    },
    ask(path, options) {
      const header = { [HEADER]: phone.wx.getStorageSync<string>(`weapp-session:${url}`) }
      return phone.wx.request({ header, ...options, url: url + path })
    },
    async close() {
      miniProgram.close()
      await bed.closeClean(phone.openid)
    },
  }
}
