import { expect } from 'chai'
import { describe, it } from 'mocha'
import { CallSlots } from '../../lib/wechat/call-slots.js'
import { weappErrorOf } from '../support/failures.js'

const OF = { part: 'logins' }
const SOON = () => ({ ...OF, signal: new AbortController().signal })

/** Calls that end when they are told. */
function calls() {
  const ends: ((error?: Error) => void)[] = []
  const call = () =>
    new Promise<string>((resolve, reject) => {
      ends.push((error) => (error ? reject(error) : resolve('done')))
    })
  return { ends, call }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('the slots of calls to WeChat', () => {
  it('let so many calls run at once, and the others after them in order', async () => {
    const slots = new CallSlots(2)
    const { ends, call } = calls()
    const all = Array.from({ length: 6 }, () => slots.inSlot(SOON(), call))
    for (let ended = 0; ended < 6; ended += 1) {
      expect(ends.length).to.equal(Math.min(2 + ended, 6))
      ends[ended]?.()
      await settled()
    }
    expect(await Promise.all(all)).to.deep.equal(Array(6).fill('done'))
  })

  it('are given back by calls that fail', async () => {
    const slots = new CallSlots(1)
    for (let times = 0; times < 20; times += 1) {
      const failing = slots.inSlot(SOON(), () => Promise.reject(new Error('reset')))
      await failing.catch((error) => expect(error.message).to.equal('reset'))
    }
    expect(await slots.inSlot(SOON(), async () => 'done')).to.equal('done')
  })

  it('refuse at once whoever comes when eight times as many wait', async () => {
    const slots = new CallSlots(2)
    const { ends, call } = calls()
    const all = Array.from({ length: 18 }, () => slots.inSlot(SOON(), call))
    const error = await weappErrorOf('ERR_WECHAT_BUSY', () => slots.inSlot(SOON(), call))
    expect(error.hint).to.match(/wechat\.maxConcurrentCalls/)
    for (let ended = 0; ended < 18; ended += 1) {
      ends[ended]?.()
      await settled()
    }
    expect(await Promise.all(all)).to.have.lengthOf(18)
  })

  it('are waited for until the deadline of the call, and are not lost to those who gave up', async () => {
    const slots = new CallSlots(1)
    const { ends, call } = calls()
    const first = slots.inSlot(SOON(), call)
    const deadline = new AbortController()
    const impatient = weappErrorOf('ERR_WECHAT_BUSY', () =>
      slots.inSlot({ ...OF, signal: deadline.signal }, call),
    )
    const patient = slots.inSlot(SOON(), call)
    await settled()
    deadline.abort()
    await impatient
    ends[0]?.()
    await first
    await settled()
    ends[1]?.()
    expect(await patient).to.equal('done')
    expect(ends).to.have.lengthOf(2)
  })

  it('are not waited for after the deadline', async () => {
    const slots = new CallSlots(1)
    const { ends, call } = calls()
    const first = slots.inSlot(SOON(), call)
    await weappErrorOf('ERR_WECHAT_BUSY', () => slots.inSlot({ ...OF, signal: AbortSignal.abort() }, call))
    ends[0]?.()
    await first
    expect(await slots.inSlot(SOON(), async () => 'done')).to.equal('done')
  })

  it('are left to other calls, one in eight, and the same share of the places to wait', async () => {
    const slots = new CallSlots(8)
    const { ends, call } = calls()
    const logins = Array.from({ length: 7 + 56 }, () => slots.inSlot(SOON(), call))
    await weappErrorOf('ERR_WECHAT_BUSY', () => slots.inSlot(SOON(), call))
    expect(ends).to.have.lengthOf(7)
    const others = Array.from({ length: 1 + 8 }, () => slots.inSlot({ ...SOON(), part: 'numbers' }, call))
    expect(ends).to.have.lengthOf(8)
    for (let ended = 7; ended < 16; ended += 1) {
      ends[ended]?.()
      await settled()
    }
    await Promise.all(others)
    // Those that wait for longer have all that they may have.
    expect(ends).to.have.lengthOf(16)
    for (let ended = 0; ended < 7 + 56 + 9; ended += 1) {
      ends[ended]?.()
      await settled()
    }
    expect(await Promise.all(logins)).to.have.lengthOf(63)
  })

  it('are of no use to calls with less time left than such calls take: they are refused before they are sent', async () => {
    let now = 0
    const slots = new CallSlots(1, () => now)
    const { ends, call } = calls()
    const first = slots.inSlot(SOON(), call)
    const [late, otherLate] = [4999, 4000].map((leftMs) =>
      weappErrorOf('ERR_WECHAT_BUSY', () => slots.inSlot({ ...SOON(), leftMs: () => leftMs - now }, call)),
    )
    const early = slots.inSlot({ ...SOON(), leftMs: () => 8000 - now }, call)
    now = 4000
    ends[0]?.()
    await Promise.all([first, otherLate])
    await settled()
    expect(ends).to.have.lengthOf(2)
    ends[1]?.()
    await Promise.all([late, early])
    expect(ends).to.have.lengthOf(2)
  })

  it('are not refused because calls that were not answered took long', async () => {
    let now = 0
    const slots = new CallSlots(1, () => now)
    const { ends, call } = calls()
    const first = slots.inSlot(SOON(), call)
    const next = slots.inSlot({ ...SOON(), leftMs: () => 1 }, call)
    now = 5000
    ends[0]?.(new Error('no answer'))
    await first.catch(() => undefined)
    await settled()
    ends[1]?.()
    expect(await next).to.equal('done')
  })
})
