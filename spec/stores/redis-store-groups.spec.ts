import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import {
  endAllSessions,
  newAddress,
  newHandle,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

/** A group, and those that a pattern or a prefix could take for it. */
const GROUP = '-_-a'
const LOOK_ALIKES = ['-_-A', '-_-b', '_-_a', 'a-_-', '____', '----']

for (const [where, isSharded] of [
  ['on one server', false],
  ['behind a proxy of several', true],
] as const) {
  describe(`the mark of the users of an app in RedisStore, ${where}`, () => {
    const redis = aRedisClient()
    let prefix: string
    let clock: TestClock
    let store: RedisStore
    const { entry, issue } = storeUnderTest(
      () => clock.now,
      () => store,
    )

    beforeEach(() => {
      prefix = freshPrefix()
      clock = testClock()
      store = newStore()
    })

    /** A process of its own. */
    function newStore(): RedisStore {
      const client: RedisClient = {
        async call(command, ...args) {
          if (isSharded && Number(args[1]) > 1) throw new Error('CROSSSLOT')
          return redis().call(command, ...args)
        },
      }
      return new RedisStore(client, { prefix, clock })
    }

    const marks = () => redis().get(`${prefix}all`)

    async function stateOf(group: string, beganAt: number): Promise<string> {
      return (await store.issue(entry({ address: newAddress(newHandle(group)), beganAt }))).state
    }

    const now = () => clock.now * 1000

    it('is seen by another process at the next call, and concerns no group that looks like it', async () => {
      const own = await issue({ address: newAddress(newHandle(GROUP)) })
      const others = await Promise.all(
        LOOK_ALIKES.map((group) => issue({ address: newAddress(newHandle(group)) })),
      )
      const beganAt = now()
      clock.advance(1)
      await newStore().revokeBatch({ group: GROUP })
      expect(await store.read(own.address)).to.equal(null)
      expect((await store.readUser(own.address.handle)).sessions).to.deep.equal([])
      expect(await stateOf(GROUP, beganAt)).to.equal('revoked')
      for (const { address } of others) expect(await store.read(address)).to.not.equal(null)
      for (const group of LOOK_ALIKES) expect(await stateOf(group, beganAt)).to.equal('issued')
      expect(await endAllSessions(newStore(), { group: GROUP })).to.equal(0)
    })

    it('is dropped when everybody is ended after it, and takes no more room the next time', async () => {
      for (let times = 0; times < 3; times += 1) {
        for (const group of ['aaaa', GROUP]) {
          clock.advance(1)
          await store.revokeBatch({ group })
        }
      }
      expect(await marks()).to.match(/^0{16}\naaaa\d{16}\n-_-a\d{16}$/)
      await store.revokeBatch({ group: 'aaaa' })
      expect(await marks()).to.match(/^0{16}\n-_-a\d{16}\naaaa\d{16}$/)
      clock.advance(1)
      await store.revokeBatch({ group: null })
      expect(await marks()).to.match(/^\d{16}$/)
    })

    it('never moves back, whatever is ended after the clock was set back', async () => {
      clock.advance(60_000)
      const beganAt = now()
      await store.revokeBatch({ group: GROUP })
      clock.advance(-30_000)
      for (const group of [GROUP, null, 'aaaa', GROUP, null]) {
        clock.advance(-1_000)
        await newStore().revokeBatch({ group })
        expect(await stateOf(GROUP, beganAt), String(group)).to.equal('revoked')
        expect(await stateOf('bbbb', beganAt), String(group)).to.equal('issued')
      }
    })

    it('is at least that of everybody, when the clock was set back between the two', async () => {
      clock.advance(60_000)
      const beganAt = now()
      await store.revokeBatch({ group: null })
      clock.advance(-30_000)
      await store.revokeBatch({ group: GROUP })
      expect(await stateOf(GROUP, beganAt)).to.equal('revoked')
      expect(await stateOf(GROUP, beganAt + 1_000)).to.equal('issued')
    })

    it('clears away each session once, whoever was ended before and not cleared away', async () => {
      await Promise.all([1, 2, 3].map(() => issue({ address: newAddress(newHandle(GROUP)) })))
      await Promise.all([1, 2].map(() => issue({ address: newAddress(newHandle('aaaa')) })))
      await issue({ address: newAddress(newHandle('bbbb')) })
      clock.advance(1)
      const cursors = []
      for (const group of [GROUP, 'aaaa', null, GROUP]) {
        cursors.push({ group, cursor: (await newStore().revokeBatch({ group })).next })
        clock.advance(1)
      }
      // Those that came last are cleared away first: they count what no mark had ended before.
      const ended = []
      for (const step of cursors.toReversed()) ended.push(await endAllSessions(newStore(), step))
      expect(ended).to.deep.equal([0, 1, 0, 0])
    })

    it('goes on for the group that it began with, and for no other', async () => {
      const addresses = ['aaaa', GROUP].map((group) => newAddress(newHandle(group)))
      for (const address of addresses) await issue({ address })
      const [own, everybody] = [
        await store.revokeBatch({ group: 'cccc' }),
        await store.revokeBatch({ group: 'dddd' }),
      ]
      for (const { next: cursor } of [own, everybody]) {
        for (const group of [null, 'aaaa', GROUP])
          expect(await failureOf(() => store.revokeBatch({ group, cursor })), String(group)).to.be.instanceOf(
            TypeError,
          )
      }
      for (const address of addresses) expect(await store.read(address)).to.not.equal(null)
      const { next } = await store.revokeBatch({ group: null })
      expect(await failureOf(() => store.revokeBatch({ group: 'aaaa', cursor: next }))).to.be.instanceOf(
        TypeError,
      )
    })

    it('is of 4 characters of a handle, and nothing else is taken for a group', async () => {
      const { address } = await issue()
      for (const group of [
        '',
        '*',
        'aaa',
        'aaaaa',
        'aa*a',
        'a?aa',
        'aa[a',
        'aaa\n',
        'aa}a',
        '微信微信',
        undefined,
        7,
      ]) {
        const step = { group } as { group: string }
        expect(await failureOf(() => store.revokeBatch(step)), String(group)).to.be.instanceOf(TypeError)
        const further = { ...step, cursor: `${group}:1:${'0'.repeat(16)}::0` }
        expect(await failureOf(() => store.revokeBatch(further)), String(group)).to.be.instanceOf(TypeError)
      }
      expect(await store.read(address)).to.not.equal(null)
      expect(await marks()).to.equal(null)
    })

    it('counts for what it is, among marks that no release would write together', async () => {
      const [early, late] = [now() + 1, now() + 9]
      for (const lines of [
        [late, `${GROUP}${early}`],
        [early, `${GROUP}${late}`, `${GROUP}${early}`],
        [early, `${GROUP}${early}`, `${GROUP}${late}`],
      ]) {
        await redis().set(`${prefix}all`, lines.join('\n'))
        store = newStore()
        expect(await stateOf(GROUP, late), lines.join(' ')).to.equal('revoked')
        expect(await stateOf(GROUP, late + 1), lines.join(' ')).to.equal('issued')
      }
    })

    if (isSharded)
      it('is remembered by a process that has seen it, though a server that lags knows it no more', async () => {
        const { address } = await issue({ address: newAddress(newHandle(GROUP)) })
        const beganAt = now()
        for (const group of [GROUP, null]) {
          const text = await marks()
          clock.advance(1)
          await newStore().revokeBatch({ group })
          expect(await store.read(address)).to.equal(null)
          await redis().set(`${prefix}all`, text ?? '0'.repeat(16))
          expect(await store.read(address)).to.equal(null)
          expect(await stateOf(GROUP, beganAt)).to.equal('revoked')
          expect(await stateOf('bbbb', beganAt)).to.equal(group === null ? 'revoked' : 'issued')
        }
      })

    it('stands among those of very many apps', async () => {
      const groups = Array.from({ length: 300 }, (_, number) => String(number).padStart(4, '_'))
      const beganAt = now()
      clock.advance(1)
      for (const group of groups) await store.revokeBatch({ group })
      expect(await marks()).to.have.length(16 + 21 * groups.length)
      for (const group of ['___0', '__99', '_299']) expect(await stateOf(group, beganAt)).to.equal('revoked')
      expect(await stateOf('_300', beganAt)).to.equal('issued')
    })
  })
}
