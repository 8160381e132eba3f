import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { OpenPage } from './mini-program.js'
import { type MiniProgramBed, openMiniProgramBed } from './mini-program-bed.js'

describe('the phone number page of the mini-program', () => {
  let bed: MiniProgramBed
  let page: OpenPage

  beforeEach(async () => {
    bed = await openMiniProgramBed()
    page = await bed.miniProgram.open('pages/phone-number/phone-number')
  })
  afterEach(() => bed.close())

  const tell = (detail: object) => page.fire('getphonenumber', 'getPhoneNumber', { detail })

  it('shows the number that the user agrees to give', async () => {
    await tell(await bed.phone.getPhoneNumber())
    expect(page.data).to.include({ failure: '', isBusy: false })
    expect(page.data.phoneNumber).to.match(/^1\d{10}$/)
  })

  it('asks for another tap when the code is too old, and takes the next one', async () => {
    const detail = await bed.phone.getPhoneNumber()
    bed.clock.advance(6 * 60_000)
    await tell(detail)
    expect(page.data).to.include({ failure: '手机号授权已失效，请再点一次按钮', phoneNumber: '' })
    await tell(await bed.phone.getPhoneNumber())
    expect(page.data).to.include({ failure: '' })
    expect(page.data.phoneNumber).not.to.equal('')
  })

  for (const [errMsg, words] of [
    ['getPhoneNumber:fail user deny', '你没有同意提供手机号，需要时可以再点一次'],
    ['getPhoneNumber:fail no permission', '微信没有给出手机号，请稍后再试'],
  ] as const) {
    it(`says so when there is no code: ${errMsg}`, async () => {
      await tell({ errMsg })
      expect(page.data).to.include({ failure: words, phoneNumber: '' })
      expect(bed.seen).to.deep.equal([])
    })
  }

  it('says how long to wait when WeChat gives no more numbers this minute', async () => {
    bed.sandbox.misbehave({ errcode: 45011 }, { path: '/wxa/business/getuserphonenumber' })
    await tell(await bed.phone.getPhoneNumber())
    expect(page.data).to.include({ failure: '操作太频繁，请 60 秒后再试', isBusy: false })
  })
})
