import { expect } from 'chai'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { after, before, beforeEach, describe, it } from 'mocha'
import { MemoryStore, type RedisClient, RedisStore, type SessionStore } from '../../lib/index.js'
import { HOUR, newId } from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix, type RecordingClient, recordCommands } from '../support/redis-client.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { startStrictProxy } from '../support/strict-proxy.js'

/** Longer than a test takes, as Redis itself drops what has ended by its own clock. */
const MINUTE = 60_000

/** A change of a value, as somebody asks for it. */
type Change = (store: SessionStore, id: string) => Promise<unknown>

const add =
  (number: number, keepMs = HOUR): Change =>
  (store, id) =>
    store.addToValue({ id, add: number, keepMs })
const replace =
  (from: string | null, to: string | null, keepMs: number | undefined = HOUR): Change =>
  async (store, id) => {
    const { isReplaced, value } = await store.replaceValue({ id, from, to, keepMs })
    return { isReplaced, text: value?.text, leftMs: value?.leftMs }
  }

describe('the changes of shared values in one turn', () => {
  let server: RedisServer
  let redis: Redis
  let client: RecordingClient
  let prefix: string
  let store: RedisStore

  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    prefix = freshPrefix()
    client = recordCommands(redis)
    store = new RedisStore(client, { prefix })
    // Loads the script.
    await store.addToValue({ id: newId(), add: 1, keepMs: HOUR })
    client.commands.length = 0
  })

  const ids = (count: number) => Array.from({ length: count }, newId)
  const keyOf = (id: string) => `${prefix}value:${id}`
  const textOf = async (id: string) => (await store.readValue(id))?.text
  const claim = (id: string, who: string, withinMs?: number) =>
    store.replaceValue({ id, from: null, to: who, keepMs: HOUR }, withinMs)

  it('are made by one script, and each has a reply of its own', async () => {
    const [counted, claimed, taken] = ids(3) as [string, string, string]
    await claim(taken, 'somebody')
    client.commands.length = 0
    const [count, own, other] = await Promise.all([
      store.addToValue({ id: counted, add: 3, keepMs: HOUR }),
      claim(claimed, 'me'),
      claim(taken, 'me'),
    ])
    expect(client.commands).to.deep.equal(['EVALSHA'])
    expect(count).to.deep.equal({ number: 3, leftMs: HOUR })
    expect(own).to.deep.include({ isReplaced: true }).and.nested.include({ 'value.text': 'me' })
    expect(other).to.deep.include({ isReplaced: false }).and.nested.include({ 'value.text': 'somebody' })
    expect([await textOf(counted), await textOf(claimed), await textOf(taken)]).to.deep.equal([
      '3',
      'me',
      'somebody',
    ])
  })

  it('count one value in order, each with its own number, 200 a script', async () => {
    const id = newId()
    const counts = await Promise.all(
      Array.from({ length: 400 }, () => store.addToValue({ id, add: 1, keepMs: HOUR })),
    )
    expect(client.commands).to.deep.equal(['EVALSHA', 'EVALSHA'])
    expect(counts.map(({ number }) => number)).to.deep.equal(Array.from({ length: 400 }, (_, n) => n + 1))
  })

  it('give one value to the first of many who claim it, and show it to the others', async () => {
    const id = newId()
    const claims = await Promise.all(['first', 'second', 'third'].map((who) => claim(id, who)))
    expect(claims.map(({ isReplaced }) => isReplaced)).to.deep.equal([true, false, false])
    expect(new Set(claims.map(({ value }) => value?.text))).to.deep.equal(new Set(['first']))
  })

  it('replace one value at a later time each', async () => {
    const id = newId()
    const [one, two] = await Promise.all([
      claim(id, 'one'),
      store.replaceValue({ id, from: 'one', to: 'two', keepMs: HOUR }),
    ])
    expect([one.isReplaced, two.isReplaced]).to.deep.equal([true, true])
    expect(two.value?.writtenAt).to.be.above(one.value?.writtenAt ?? Number.NaN)
    expect(await textOf(id)).to.equal('two')
  })

  it('count a value at a later time than it was replaced', async () => {
    const id = newId()
    const [claimed] = await Promise.all([claim(id, '5'), store.addToValue({ id, add: 1, keepMs: HOUR })])
    const counted = await store.readValue(id)
    expect(counted?.text).to.equal('6')
    expect(counted?.writtenAt).to.be.above(claimed.value?.writtenAt ?? Number.NaN)
  })

  it('are eight values a script', async () => {
    await Promise.all(ids(20).map((id) => claim(id, 'me')))
    expect(client.commands).to.deep.equal(['EVALSHA', 'EVALSHA', 'EVALSHA'])
  })

  it('go together with those of the same deadline only', async () => {
    await Promise.all([claim(newId(), 'me', 9_000), claim(newId(), 'me', 9_000), claim(newId(), 'me')])
    expect(client.commands).to.deep.equal(['EVALSHA', 'EVALSHA'])
  })

  it('are not made, none of them, once their deadline has passed', async () => {
    const all = ids(3)
    const failures = await Promise.all(all.map((id) => failureOf(() => claim(id, 'me', 0))))
    for (const failure of failures) expect(String(failure)).to.match(/came too late, and was not made/)
    expect(client.commands).to.deep.equal([])
    expect(await Promise.all(all.map(textOf))).to.deep.equal([undefined, undefined, undefined])
  })

  it('are not made, none of them, where Redis has stood still for longer', async () => {
    await store.addToValue({ id: newId(), add: 1, keepMs: HOUR })
    const all = ids(3)
    server.pause()
    const claims = all.map((id) => failureOf(() => claim(id, 'me', 100)))
    await new Promise((resolve) => setTimeout(resolve, 150))
    server.resume()
    for (const failure of await Promise.all(claims)) expect(String(failure)).to.match(/came too late/)
    expect(await Promise.all(all.map(textOf))).to.deep.equal([undefined, undefined, undefined])
  })

  for (const [what, put, message] of [
    ['is damaged', (key: string) => redis.set(key, 'damaged'), /cannot be read/],
    ['is no value at all', (key: string) => redis.rpush(key, 'a list'), /WRONGTYPE/],
  ] as const)
    it(`fail alone for a key that ${what}: the others are made, once`, async () => {
      const [counted, bad, claimed] = ids(3) as [string, string, string]
      await put(keyOf(bad))
      const failing = failureOf(() => store.addToValue({ id: bad, add: 1, keepMs: HOUR }))
      const [count, failure, own] = await Promise.all([
        store.addToValue({ id: counted, add: 1, keepMs: HOUR }),
        failing,
        claim(claimed, 'me'),
      ])
      expect(count.number).to.equal(1)
      expect(String(failure)).to.match(message)
      expect(own.isReplaced).to.equal(true)
      expect([await textOf(counted), await textOf(claimed)]).to.deep.equal(['1', 'me'])
    })

  it('fail all together with the connection, and are not sent again', async () => {
    const lost = new Error('Connection is closed.')
    let calls = 0
    const broken: RedisClient = {
      call: async () => {
        calls += 1
        throw lost
      },
    }
    const alone = new RedisStore(broken)
    const failures = await Promise.all(
      ids(3).map((id) => failureOf(() => alone.addToValue({ id, add: 1, keepMs: HOUR }))),
    )
    expect(failures).to.deep.equal([lost, lost, lost])
    expect(calls).to.equal(1)
  })

  it('fail all together when the reply is too short or too long', async () => {
    for (const texts of [['added', '1', '1000', ''], Array.from({ length: 12 }, () => 'added')]) {
      const odd: RedisClient = {
        call: async (...args) => [String(args[3 + Number(args[2])]), '1767225600000000', 'ok', ...texts],
      }
      const fooled = new RedisStore(odd)
      const failures = await Promise.all(
        ids(2).map((id) => failureOf(() => fooled.addToValue({ id, add: 1, keepMs: HOUR }))),
      )
      for (const failure of failures) expect(String(failure)).to.match(/something else than was asked for/)
    }
  })

  it('go apart behind a proxy of a cluster, which refuses them once, and are made once', async () => {
    const crossSlot = "CROSSSLOT Keys in request don't hash to the same slot"
    const proxy = await startStrictProxy({ behind: server.port, crossSlot })
    const through = new Redis({ port: proxy.port, protocol: 2 })
    const apart = new RedisStore(through, { prefix })
    const all = ids(5)
    const count = async () =>
      (await Promise.all(all.map((id) => apart.addToValue({ id, add: 1, keepMs: HOUR })))).map(
        ({ number }) => number,
      )
    const counts = [await count(), await count()]
    through.disconnect()
    await proxy.close()
    expect(counts).to.deep.equal([
      [1, 1, 1, 1, 1],
      [2, 2, 2, 2, 2],
    ])
    expect(proxy.refusals.filter((refusal) => refusal === crossSlot)).to.have.lengthOf(1)
  })

  it('come to the same as one after the other, whatever they are', async () => {
    const texts = fc.constantFrom('a', 'b', '7')
    const change = fc.oneof(
      fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom(MINUTE, HOUR)).map((args) => add(...args)),
      fc
        .tuple(fc.option(texts), fc.option(texts), fc.constantFrom(0, MINUTE, HOUR))
        .map((args) => replace(...args)),
    )
    const turn = fc.array(fc.tuple(fc.constantFrom('one', 'two', 'three'), change), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 4 }), async (turns) => {
        const clock = testClock()
        const tried = new RedisStore(redis, { prefix: freshPrefix(), clock })
        const model = new MemoryStore({ clock })
        for (const changes of turns) {
          const given = await Promise.all(changes.map(([id, make]) => make(tried, id)))
          const expected: unknown[] = []
          for (const [id, make] of changes) expected.push(await make(model, id))
          expect(given).to.deep.equal(expected)
          clock.advance(MINUTE)
        }
      }),
      { numRuns: 60 },
    )
  })

  for (const [name, storeAt] of [
    ['Redis', (clock: TestClock) => new RedisStore(redis, { prefix: freshPrefix(), clock })],
    ['memory', (clock: TestClock) => new MemoryStore({ clock })],
  ] as const) {
    it(`last no longer than a new count after the clock was set back, in ${name}`, async () => {
      const clock = testClock()
      const [counts, id] = [storeAt(clock), newId()]
      const add = (number: number) => counts.addToValue({ id, add: number, keepMs: MINUTE })
      await add(600)
      clock.advance(-HOUR)
      expect(await add(1)).to.deep.equal({ number: 601, leftMs: MINUTE })
      clock.advance(MINUTE / 2)
      expect(await add(-1)).to.deep.equal({ number: 600, leftMs: MINUTE / 2 })
      clock.advance(MINUTE / 2)
      expect(await add(1)).to.deep.equal({ number: 1, leftMs: MINUTE })
    })
  }
})
