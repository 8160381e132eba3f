import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { OpenPage } from './mini-program.js'
import { type MiniProgramBed, openMiniProgramBed } from './mini-program-bed.js'

const MOMENT = /^\d{1,2}月\d{1,2}日 \d{2}:\d{2}$/

interface Device {
  id: string
  current: boolean
  createdAt: string
  lastVisitAt: string
  expiresAt: string
}

describe('the devices page of the mini-program', () => {
  let bed: MiniProgramBed
  let page: OpenPage

  beforeEach(async () => {
    bed = await openMiniProgramBed()
    await bed.logInOnAnotherPhone()
    await bed.logInOnAnotherPhone()
    page = await bed.miniProgram.open('pages/devices/devices')
  })
  afterEach(() => bed.close())

  const devices = () => page.data.devices as Device[]
  const others = () => devices().filter(({ current }) => !current)
  const end = (device: Device | undefined) => page.fire('tap', 'end', { dataset: { id: device?.id } })

  it('lists the devices with their times, and marks this one', () => {
    expect(devices()).to.have.lengthOf(3)
    expect(others()).to.have.lengthOf(2)
    expect(page.data).to.include({ hasOthers: true, failure: '' })
    for (const { createdAt, lastVisitAt, expiresAt } of devices()) {
      for (const time of [createdAt, lastVisitAt, expiresAt]) expect(time).to.match(MOMENT)
    }
  })

  it('ends the session of one device, after asking', async () => {
    const [first, second] = others()
    await end(first)
    expect(bed.miniProgram.questions).to.deep.equal(['让这台设备退出登录？'])
    expect(bed.miniProgram.toasts).to.deep.equal(['已退出'])
    expect(others()).to.deep.equal([second])
  })

  it('ends all others at once, after asking', async () => {
    await page.fire('tap', 'endOthers')
    expect(bed.miniProgram.questions).to.deep.equal(['让其他设备全部退出登录？'])
    expect(devices()).to.have.lengthOf(1)
    expect(page.data).to.include({ hasOthers: false, failure: '' })
  })

  it('ends nothing when the user does not want it', async () => {
    bed.miniProgram.says = 'no'
    await end(others()[0])
    await page.fire('tap', 'endOthers')
    await page.live('onPullDownRefresh')
    expect(devices()).to.have.lengthOf(3)
    expect(bed.miniProgram.toasts).to.deep.equal([])
  })

  it('shows at a pull what has changed meanwhile', async () => {
    await bed.logInOnAnotherPhone()
    await page.live('onPullDownRefresh')
    expect(devices()).to.have.lengthOf(4)
    expect(bed.miniProgram.refreshesEnded).to.equal(1)
  })

  it('says that a device has logged out already, and keeps the list', async () => {
    const before = devices().map(({ id }) => id)
    const logOut = await bed.logInOnAnotherPhone()
    await page.live('onPullDownRefresh')
    await logOut()
    await end(devices().find(({ id }) => !before.includes(id)))
    expect(page.data).to.include({ failure: '该设备已退出登录，请下拉刷新', isBusy: false })
    expect(devices()).to.have.lengthOf(4)
    expect(bed.miniProgram.toasts).to.deep.equal([])
  })

  it('says that the network is away, and lets the pull end', async () => {
    bed.phone.offline = true
    await page.live('onPullDownRefresh')
    expect(page.data).to.include({ failure: '网络不通，请检查网络后再试', isBusy: false })
    expect(bed.miniProgram.refreshesEnded).to.equal(1)
    expect(devices()).to.have.lengthOf(3)
  })
})
