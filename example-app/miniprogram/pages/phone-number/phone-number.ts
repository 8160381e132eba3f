import { attempt, idle } from '../../attempt.js'
import { client } from '../../session.js'

interface PhoneNumberDetail {
  errMsg: string
  /** Missing if the user or WeChat refuses. */
  code?: string
}

Page({
  data: { ...idle, phoneNumber: '' },

  async getPhoneNumber({ detail }: WechatMiniprogram.CustomEvent<PhoneNumberDetail>) {
    const { code, errMsg } = detail
    if (!code) {
      this.setData({ failure: noCodeMessage(errMsg) })
      return
    }
    await attempt(this, async () => {
      const { phoneNumber } = await client.phoneNumber({ code })
      this.setData({ phoneNumber })
    })
  },
})

function noCodeMessage(errMsg: string): string {
  return /deny|cancel/.test(errMsg)
    ? '你没有同意提供手机号，需要时可以再点一次'
    : '微信没有给出手机号，请稍后再试'
}
