import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import { StoreFailure } from '../../lib/sessions/store.js'
import { RedisClock } from '../../lib/stores/redis-clock.js'
import { HOUR, newHandle, newId, storeUnderTest } from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

const WITHIN_MS = 60_000
/** What is left of it when a quarter is kept for the way of the reply, in microseconds. */
const WANTED_FOR = WITHIN_MS * 1000 * 0.75

/** A change as it was sent: until when it is wanted, and the time in Redis a moment later. */
interface SentChange {
  /** In microseconds; NaN for a question without a limit. */
  readonly wantedUntil: number
  readonly redisTime: number
}

describe('the time in Redis, as a RedisStore knows it', () => {
  const redis = aRedisClient()
  let prefix: string
  let sent: SentChange[]
  let beforeQuestion: () => Promise<unknown> | undefined
  let beforeReply: () => Promise<unknown> | undefined
  let client: RedisClient
  let store: RedisStore
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  beforeEach(() => {
    prefix = freshPrefix()
    sent = []
    beforeQuestion = () => undefined
    beforeReply = () => undefined
    client = {
      async call(...args) {
        await beforeQuestion()
        // On one connection, so that Redis tells its time before it runs the script.
        const [time, reply] = await Promise.all([redis().time(), redis().call(...args)])
        const wantedUntil = args[5 + Number(args[2])]
        sent.push({
          wantedUntil: wantedUntil === '' ? Number.NaN : Number(wantedUntil),
          redisTime: Number(time[0]) * 1_000_000 + Number(time[1]),
        })
        await beforeReply()
        return reply
      },
    }
    store = new RedisStore(client, { prefix })
  })

  /** Lets some time pass: as long as Redis takes for a few hundred replies. */
  async function aWhile(): Promise<void> {
    for (let pings = 0; pings < 200; pings += 1) await redis().ping()
  }

  function lastSent(): SentChange {
    return sent.at(-1) ?? expect.fail('nothing was sent')
  }

  async function change(withinMs = WITHIN_MS): Promise<void> {
    await store.writeUserInfo(newHandle(), '{}', HOUR, withinMs)
  }

  describe('as long as nothing was learnt', () => {
    it('makes a change too late for the first question, and in time for the second', async () => {
      const login = entry()
      expect(await store.issue(login, WITHIN_MS)).to.include({ state: 'issued', seenBefore: false })
      expect(sent.map(({ wantedUntil }) => wantedUntil > 0)).to.deep.equal([false, true])
    })

    it('is learnt from any reply', async () => {
      for (const learn of [
        () => store.ping(),
        () => store.readUser(newHandle()),
        () => store.readValue(newId()),
        () => store.replaceValue({ id: newId(), from: null, to: 'value', keepMs: HOUR }),
      ]) {
        store = new RedisStore(client, { prefix })
        await learn()
        sent = []
        await change()
        expect(sent, String(learn)).to.have.lengthOf(1)
      }
    })
  })

  describe('is never told later than it is', () => {
    async function expectNotLater(): Promise<void> {
      const { wantedUntil, redisTime } = lastSent()
      expect(wantedUntil - WANTED_FOR).to.be.at.most(redisTime)
    }

    it('after replies that come at once', async () => {
      for (let changes = 0; changes < 100; changes += 1) {
        await change()
        await expectNotLater()
      }
    })

    it('after replies that come late', async () => {
      beforeReply = aWhile
      await store.ping()
      beforeReply = () => undefined
      for (let changes = 0; changes < 20; changes += 1) {
        await change()
        await expectNotLater()
      }
    })

    it('after questions that arrive late', async () => {
      beforeQuestion = aWhile
      await store.ping()
      beforeQuestion = () => undefined
      for (let changes = 0; changes < 20; changes += 1) {
        await change()
        await expectNotLater()
      }
    })

    it('after replies of which some come late, and some at once', async () => {
      await store.ping()
      for (let changes = 0; changes < 20; changes += 1) {
        beforeReply = changes % 2 === 0 ? aWhile : () => undefined
        await change()
        await expectNotLater()
      }
    })

    it('nor much earlier, after a reply that came at once', async () => {
      beforeReply = aWhile
      await store.ping()
      beforeReply = () => undefined
      await store.ping()
      await change()
      const { wantedUntil, redisTime } = lastSent()
      expect(wantedUntil).to.be.above(redisTime)
    })
  })

  describe('keeps changes in time', () => {
    it('of which the question arrives when nobody waits any more', async () => {
      await store.ping()
      const { address, record } = await issue()
      beforeQuestion = passed(40)
      expect(await failureOf(() => store.revoke(address, 20)))
        .to.be.instanceOf(StoreFailure)
        .with.property('message', 'a change came too late, and was not made')
      beforeQuestion = () => undefined
      expect(await store.read(address)).to.include({ record })
    })

    it('and asks no second time when nobody waits any more', async () => {
      await store.ping()
      sent = []
      beforeQuestion = passed(80)
      await failureOf(() => change(40))
      expect(sent).to.have.lengthOf(1)
    })

    /** Resolves when so much of the time of this process has passed. */
    function passed(durationMs: number): () => Promise<void> {
      const start = performance.now()
      return async () => {
        while (performance.now() - start < durationMs) await redis().ping()
      }
    }
  })

  describe('that is set', () => {
    let clock: TestClock

    beforeEach(async () => {
      clock = testClock()
      store = new RedisStore(client, { prefix, clock })
      await store.ping()
      sent = []
    })

    it('forward costs a change one more question, and it is made', async () => {
      await change()
      expect(sent).to.have.lengthOf(1)
      clock.advance(HOUR)
      const handle = newHandle()
      await store.writeUserInfo(handle, 'kept', HOUR, WITHIN_MS)
      expect(sent).to.have.lengthOf(3)
      expect(await store.readUser(handle)).to.include({ userInfo: 'kept' })
      sent = []
      await change()
      expect(sent).to.have.lengthOf(1)
    })

    it('back costs nothing, and is known after one reply', async () => {
      await change()
      clock.advance(-HOUR)
      sent = []
      const handle = newHandle()
      await store.writeUserInfo(handle, 'kept', HOUR, WITHIN_MS)
      await change()
      expect(sent).to.have.lengthOf(2)
      expect(lastSent().wantedUntil).to.be.within(clock.now * 1000, (clock.now + WITHIN_MS) * 1000)
      expect(await store.readUser(handle)).to.include({ userInfo: 'kept' })
    })

    it('forward before each question costs two of them, and the change is not made', async () => {
      const leaping = () => {
        clock.advance(HOUR)
        return clock.now
      }
      store = new RedisStore(client, { prefix, clock: leaping })
      await store.ping()
      sent = []
      const handle = newHandle()
      expect(await failureOf(() => store.writeUserInfo(handle, '{}', HOUR, WITHIN_MS))).to.be.an('error')
      expect(sent).to.have.lengthOf(2)
      expect(await store.readUser(handle)).to.include({ userInfo: null, wasHere: false })
    })

    it('between two questions loses no login, forward or back', async () => {
      for (const stepMs of [HOUR, -HOUR, HOUR, HOUR, -3 * HOUR]) {
        clock.advance(stepMs)
        const login = entry()
        expect(await store.issue(login, WITHIN_MS), String(stepMs)).to.include({ state: 'issued' })
        expect(await store.read(login.address)).to.include({ record: login.record })
      }
    })

    it('lets each of many changes at once be made', async () => {
      clock.advance(HOUR)
      const handles = Array.from({ length: 50 }, () => newHandle())
      await Promise.all(handles.map((handle) => store.writeUserInfo(handle, handle, HOUR, WITHIN_MS)))
      const users = await Promise.all(handles.map((handle) => store.readUser(handle)))
      expect(users.map(({ userInfo }) => userInfo)).to.deep.equal(handles)
    })
  })
})

describe('the estimate of the time in Redis', () => {
  const { now } = performance
  let nowMs = 0
  beforeEach(() => {
    nowMs = 5_000
    performance.now = () => nowMs
  })
  afterEach(() => {
    performance.now = now
  })

  /** Learns a time that was told on the way of a reply that took two milliseconds. */
  function learn(clock: RedisClock, moment: number): void {
    const askedAt = clock.now()
    nowMs += 2
    clock.learn(moment, askedAt, false)
  }

  it('is unknown before the first reply', () => {
    expect(new RedisClock(false).momentNow()).to.equal(undefined)
  })

  it('goes on with the process, is never ahead, and is unknown when no reply has told it for a second', () => {
    const clock = new RedisClock(false)
    learn(clock, 1_767_225_600_000_000)
    expect(clock.momentNow()).to.equal(1_767_225_600_000_000)
    nowMs += 1000
    expect(clock.momentNow()).to.equal(1_767_225_601_000_000)
    nowMs += 1
    expect(clock.momentNow()).to.equal(undefined)
  })

  it('follows the clock of Redis when it is set, forward or back', () => {
    const clock = new RedisClock(false)
    for (const moment of [1_767_225_600_000_000, 1_767_229_200_000_000, 1_767_222_000_000_000]) {
      learn(clock, moment)
      expect(clock.momentNow()).to.equal(moment)
    }
  })
})
