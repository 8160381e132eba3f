import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { SharedLookups } from '../../lib/wechat/shared-lookups.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'

const WECHAT = 'api.weixin.qq.com'
const ADDRESSES: LookupAddress[] = [{ address: '192.0.2.1', family: 4 }]
const LATER: LookupAddress[] = [{ address: '192.0.2.2', family: 4 }]
const MINUTES_10 = 600_000
const NO_REPLY = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })

describe('the lookups of names', () => {
  let clock: TestClock
  /** The questions that are open, in order. */
  let open: { name: string; answer: (found: LookupAddress[] | Error) => void }[]
  let asked: number

  const lookUp: LookupFunction = (name, _options, callback) => {
    asked += 1
    open.push({
      name,
      answer: (found) => (found instanceof Error ? callback(found, '') : callback(null, found)),
    })
  }
  const lookupsOf = (patienceMs: number) => new SharedLookups({ lookUp, now: clock, patienceMs })
  const ask = (by: LookupFunction, name = WECHAT, options: object = { all: true }) =>
    new Promise((resolve, reject) => {
      by(name, options, (error, address) => (error ? reject(error) : resolve(address)))
    })
  async function settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }
  /** Answers the oldest question. */
  async function answer(found: LookupAddress[] | Error): Promise<void> {
    await settled()
    open.shift()?.answer(found)
    await settled()
  }

  beforeEach(() => {
    clock = testClock()
    open = []
    asked = 0
  })

  for (const how of ['fresh', 'orKept'] as const) {
    it(`of one name are one for all who ask at once, by ${how}`, async () => {
      const lookups = lookupsOf(10_000)
      const all = Array.from({ length: 500 }, () => ask(lookups[how]))
      await answer(ADDRESSES)
      expect(await Promise.all(all)).to.deep.equal(Array(500).fill(ADDRESSES))
      const failing = Array.from({ length: 3 }, () => failureOf(() => ask(lookups.fresh)))
      await answer(NO_REPLY)
      expect(await Promise.all(failing)).to.deep.equal([NO_REPLY, NO_REPLY, NO_REPLY])
      expect(asked).to.equal(2)
    })
  }

  it('tell the family of a single address', async () => {
    const lookups = new SharedLookups({ lookUp: (_name, _options, callback) => callback(null, '::1', 6) })
    const found = await new Promise((resolve) => {
      lookups.fresh(WECHAT, {}, (...result) => resolve(result))
    })
    expect(found).to.deep.equal([null, '::1', 6])
  })

  it('ask for each kind of address on its own', async () => {
    const lookups = lookupsOf(10_000)
    const all = [ask(lookups.fresh), ask(lookups.fresh, WECHAT, { all: true, family: 6 })]
    await answer(ADDRESSES)
    await answer(LATER)
    expect(await Promise.all(all)).to.deep.equal([ADDRESSES, LATER])
  })

  it('are one at a time, however many names there are, so that one place is left to others', async () => {
    const lookups = lookupsOf(10_000)
    const names = Array.from({ length: 6 }, (_, index) => `host${index}.example`)
    const all = names.map((name) => ask(lookups.fresh, name).catch(() => 'failed'))
    const seen: string[] = []
    await settled()
    for (let left = names.length; left > 0; left -= 1) {
      expect(open).to.have.lengthOf(1)
      seen.push(open[0]?.name ?? '')
      await answer(left % 2 ? ADDRESSES : NO_REPLY)
    }
    await Promise.all(all)
    expect(seen).to.deep.equal(names)
  })

  it('go on when one throws at once', async () => {
    const lookups = new SharedLookups({
      lookUp: () => {
        throw NO_REPLY
      },
    })
    for (let times = 0; times < 5; times += 1)
      expect(await failureOf(() => ask(lookups.fresh))).to.equal(NO_REPLY)
  })

  it('fail where there is no address, of which Node would make a crash', async () => {
    const failing = failureOf(() => ask(lookupsOf(1).fresh))
    await answer([])
    expect(await failing).to.have.property('code', 'ENOTFOUND')
  })

  it('go on when one never ends', async () => {
    let isStuck = true
    const lookups = new SharedLookups({
      lookUp: (_name, _options, callback) => {
        if (!isStuck) callback(null, ADDRESSES)
        isStuck = false
      },
      mostMs: 1,
    })
    expect(await failureOf(() => ask(lookups.fresh))).to.have.property('code', 'ETIMEOUT')
    expect(await ask(lookups.fresh)).to.deep.equal(ADDRESSES)
  })

  describe('for connections that prove whom they lead to', () => {
    async function known(patienceMs = 10_000): Promise<SharedLookups> {
      const lookups = lookupsOf(patienceMs)
      const first = ask(lookups.orKept)
      await answer(ADDRESSES)
      await first
      return lookups
    }

    it('give the last addresses for ten minutes when DNS fails', async () => {
      const { orKept } = await known()
      clock.advance(MINUTES_10)
      const inTime = ask(orKept)
      await answer(NO_REPLY)
      expect(await inTime).to.deep.equal(ADDRESSES)
      clock.advance(1)
      const late = failureOf(() => ask(orKept))
      await answer(NO_REPLY)
      expect(await late).to.equal(NO_REPLY)
    })

    it('give them when DNS is slow, too, and the new ones once they are there', async () => {
      const { orKept } = await known(1)
      for (let times = 0; times < 5; times += 1) expect(await ask(orKept)).to.deep.equal(ADDRESSES)
      expect(open).to.have.lengthOf(1)
      await answer(LATER)
      expect(await ask(orKept)).to.deep.equal(LATER)
    })

    it('give new ones while DNS works', async () => {
      const { orKept } = await known()
      const next = ask(orKept)
      await answer(LATER)
      expect(await next).to.deep.equal(LATER)
    })

    it('have none for a name that was never found', async () => {
      const { orKept } = lookupsOf(10_000)
      const failing = failureOf(() => ask(orKept))
      await answer(NO_REPLY)
      expect(await failing).to.equal(NO_REPLY)
    })
  })

  it('give nobody else old addresses', async () => {
    const { fresh } = lookupsOf(1)
    const first = ask(fresh)
    await answer(ADDRESSES)
    await first
    const next = failureOf(() => ask(fresh))
    await answer(NO_REPLY)
    expect(await next).to.equal(NO_REPLY)
  })
})
