import { inspect } from 'node:util'
import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { type RedisClient, RedisStore, type SessionAddress } from '../../lib/index.js'
import { StoreFailure } from '../../lib/sessions/store.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  newId,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { everythingIn, failureOf } from '../support/failures.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

const SECRET = 'a profile, or a record'

/** A client that gives the same reply to all, and writes down what it is told besides. */
class ReplyingClient implements RedisClient {
  readonly disconnects: boolean[] = []
  readonly commands: string[] = []
  readonly #reply: (...args: (string | number)[]) => unknown

  constructor(reply: (...args: (string | number)[]) => unknown) {
    this.#reply = reply
  }

  async call(...args: (string | number)[]): Promise<unknown> {
    this.commands.push(String(args[0]))
    return this.#reply(...args)
  }

  disconnect(reconnect: boolean): void {
    this.disconnects.push(reconnect)
  }
}

/** The nonce of a question: the first word after the keys. */
function nonceIn(args: (string | number)[]): string {
  return String(args[3 + Number(args[2])])
}

const MOMENT = '1767225600000000'

describe('RedisStore given a reply of the wrong shape', () => {
  const { entry } = storeUnderTest(Date.now, () => expect.fail('there is no store here'))
  const change = { sessionId: newAddress().sessionId, from: 'old', to: 'new' }

  const calls: Record<string, (store: RedisStore) => Promise<unknown>> = {
    read: (store) => store.read(newAddress()),
    readUser: (store) => store.readUser(newHandle()),
    issue: (store) => store.issue(entry()),
    touch: (store) => store.touch(newAddress(), { sessionDurationMs: HOUR, endsBy: Date.now() }),
    revoke: (store) => store.revoke(newAddress()),
    revokeUser: (store) => store.revokeUser(newHandle()),
    writeUserInfo: (store) => store.writeUserInfo(newHandle(), '{}', HOUR),
    rewrite: (store) => store.rewrite(newHandle(), [change]),
    readValue: (store) => store.readValue(newId()),
    replaceValue: (store) => store.replaceValue({ id: newId(), from: null, to: 'value', keepMs: HOUR }),
    revokeBatch: (store) => store.revokeBatch({ group: null }),
    'revokeBatch of a group': (store) => store.revokeBatch({ group: 'aaaa' }),
    ping: (store) => store.ping(),
  }

  const wrong: [what: string, reply: (nonce: string) => unknown][] = [
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text', () => SECRET],
    ['the nonce alone, not in a list', (nonce) => nonce],
    ['a number', () => 1],
    ['true', () => true],
    ['an object', () => ({ secret: SECRET })],
    ['a symbol', () => Symbol(SECRET)],
    ['a Buffer', () => Buffer.from(SECRET)],
    ['an empty list', () => []],
    ['a list of one null', () => [null]],
    ['a list with a number', (nonce) => [nonce, MOMENT, 'ok', SECRET, 1]],
    ['a moment that is a number', (nonce) => [nonce, Number(MOMENT), 'ok', SECRET]],
    ['a list with a Buffer', (nonce) => [nonce, MOMENT, 'ok', Buffer.from(SECRET)]],
    ['a list with null', (nonce) => [nonce, MOMENT, 'ok', SECRET, null]],
    ['a list with a list', (nonce) => [nonce, MOMENT, 'ok', [SECRET]]],
    ['a list with a hole', (nonce) => [nonce, MOMENT, undefined, SECRET]],
    ['a nonce that is a Buffer', (nonce) => [Buffer.from(nonce), MOMENT, 'ok', SECRET]],
    ['another nonce', () => ['AAAA1', MOMENT, 'ok', SECRET]],
    ['the nonce of the next question', (nonce) => [`${nonce}1`, MOMENT, 'ok', SECRET]],
    ['the nonce in another place', (nonce) => [MOMENT, nonce, 'ok', SECRET]],
    ['what Redis says of another command', () => ['0', [SECRET]]],
  ]

  for (const [method, call] of Object.entries(calls)) {
    for (const [what, reply] of wrong) {
      it(`fails and gives the connection up: ${what} to ${method}`, async () => {
        const client = new ReplyingClient((...args) => reply(nonceIn(args)))
        const failure = await failureOf(() => call(new RedisStore(client)))
        expect(failure)
          .to.be.instanceOf(StoreFailure)
          .with.property('message')
          .that.matches(/^Redis replied .*: the connection is given up$/)
        // A first read asks for the time as well.
        expect(client.commands).to.have.members(method === 'read' ? ['MGET', 'EVALSHA'] : ['EVALSHA'])
        expect(client.disconnects).to.deep.equal([true])
        expect(everythingIn(failure)).to.not.include(SECRET)
      })
    }

    it(`fails also with a client that cannot be told to disconnect: ${method}`, async () => {
      const store = new RedisStore({ call: async () => ['AAAA1', MOMENT, 'ok', SECRET] })
      expect(await failureOf(() => call(store))).to.be.instanceOf(StoreFailure)
    })

    it(`passes on what the client throws, and keeps the connection: ${method}`, async () => {
      const error = new Error('Connection is closed.')
      const client = new ReplyingClient(() => Promise.reject(error))
      expect(await failureOf(() => call(new RedisStore(client)))).to.equal(error)
      expect(client.disconnects).to.deep.equal([])
    })
  }

  describe('but the right nonce', () => {
    const short: [method: 'read' | 'readUser', texts: string[]][] = [
      ['read', ['ok']],
      ['read', ['ok', SECRET, '']],
      ['read', ['ok', `${'A'.repeat(24)}1767225600${SECRET}`, '']],
      ['readUser', ['ok', '1', '', SECRET]],
      ['readUser', ['ok', '1', '', '']],
    ]
    for (const [method, texts] of short) {
      it(`fails without a word of it: ${JSON.stringify(texts)} to ${method}`, async () => {
        const client = new ReplyingClient((...args) => [nonceIn(args), MOMENT, ...texts])
        const failure = await failureOf(() => calls[method]?.(new RedisStore(client)))
        expect(failure).to.be.an('error')
        expect(everythingIn(failure)).to.not.include(SECRET)
      })
    }

    it('fails when the session is another than was asked for', async () => {
      const line = `${newAddress().sessionId}${MOMENT}1767225600000${'9'.repeat(13)}${SECRET}`
      const client = new ReplyingClient((...args) => [nonceIn(args), MOMENT, 'ok', line, ''])
      const failure = await failureOf(() => new RedisStore(client).read(newAddress()))
      expect(failure).to.be.an('error')
      expect(everythingIn(failure)).to.not.include(SECRET)
    })
  })

  for (const reply of [
    undefined,
    null,
    'OK',
    1,
    [],
    ['0'],
    ['0', 'key'],
    [null, null],
    {},
    Buffer.from('0'),
  ]) {
    it(`fails and does not say that all is done: ${inspect(reply)} to SCAN`, async () => {
      const client = new ReplyingClient((...args) =>
        args[0] === 'SCAN' ? reply : [nonceIn(args), MOMENT, 'ok', '0'.repeat(16), '0'.repeat(16)],
      )
      expect(await failureOf(() => endAllSessions(new RedisStore(client)))).to.be.an('error')
      expect(client.commands).to.deep.equal(['EVALSHA', 'SCAN'])
    })
  }

  for (const marks of [
    undefined,
    '',
    '0',
    `${MOMENT}\n`,
    `${MOMENT}\naaaa`,
    `${MOMENT}\naaaa${MOMENT}${SECRET}`,
  ]) {
    it(`fails where several servers are asked, given ${JSON.stringify(marks)} for the marks`, async () => {
      const line = `${newAddress().sessionId}${MOMENT}1767225600000${'9'.repeat(13)}record`
      const client = new ReplyingClient((...args) => {
        if (args[2] === 2) throw new Error('CROSSSLOT')
        const texts = String(args[3]).endsWith('all')
          ? [marks].filter((text) => text !== undefined)
          : [line, '']
        return [nonceIn(args), MOMENT, 'ok', ...texts]
      })
      const address = { handle: newHandle(), sessionId: line.slice(0, 24) }
      const failure = await failureOf(() => new RedisStore(client).read(address))
      expect(failure).to.be.instanceOf(StoreFailure)
      expect(everythingIn(failure)).to.not.include(SECRET)
    })
  }

  it('does not take an error that only speaks of NOSCRIPT for a script that is missing', async () => {
    const client = new ReplyingClient(() => Promise.reject(new Error('ERR user_script:1: NOSCRIPT')))
    await failureOf(() => new RedisStore(client).readUser(newHandle()))
    expect(client.commands).to.deep.equal(['EVALSHA'])
  })
})

describe('RedisStore whose client has lost a reply, so that each later question gets the one before', () => {
  const redis = aRedisClient()
  let prefix: string
  let client: ShiftingClient
  let store: RedisStore
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  beforeEach(async () => {
    prefix = freshPrefix()
    client = new ShiftingClient(redis())
    store = new RedisStore(client, { prefix })
    // So that the server has all scripts, and says NOSCRIPT to nothing.
    const address = newAddress()
    for (const call of [...changesOf(address), ...readsOf(address)]) await call()
  })

  function changesOf(address: SessionAddress): (() => Promise<unknown>)[] {
    const { handle, sessionId } = address
    const id = newId()
    return [
      () => store.touch(address, { sessionDurationMs: HOUR, endsBy: Date.now() + HOUR }),
      () => store.rewrite(handle, [{ sessionId, from: '{"v":1}', to: 'new' }]),
      () => store.writeUserInfo(handle, '{}', HOUR),
      () => store.replaceValue({ id, from: null, to: 'value', keepMs: HOUR }),
      () => store.replaceValue({ id, from: 'value', to: null }),
      () => store.issue(entry()),
      () => store.revoke(address),
      () => store.revokeUser(handle),
      () => store.revokeBatch({ group: null }),
      () => store.revokeBatch({ group: handle.slice(0, 4) }),
    ]
  }

  function readsOf({ handle, sessionId }: SessionAddress): (() => Promise<unknown>)[] {
    return [
      () => store.read({ handle, sessionId }),
      () => store.readUser(handle),
      () => store.readValue(newId()),
      () => store.ping(),
    ]
  }

  it('reads no session of another user', async () => {
    const [alice, bob] = [await issue({ userInfo: 'of Alice' }), await issue({ userInfo: 'of Bob' })]
    client.heal = false
    await store.read(alice.address)
    client.loseReply()
    for (const { address } of [bob, alice, bob, bob]) await expectDistrust(() => store.read(address))
    for (const { address } of [bob, alice, bob, bob])
      await expectDistrust(() => store.readUser(address.handle))
  })

  it('reads no session of another user when many ask at once', async () => {
    const logins = await Promise.all(Array.from({ length: 50 }, () => issue()))
    client.heal = false
    await store.read(newAddress())
    client.loseReply()
    await Promise.all(logins.map(({ address }) => expectDistrust(() => store.read(address))))
  })

  for (const times of [1, 2, 3]) {
    it(`finds no session that has ended, with ${times} replies lost`, async () => {
      const { address } = await issue()
      client.heal = false
      for (let reads = 0; reads < 5; reads += 1) await store.read(address)
      await new RedisStore(redis(), { prefix }).revoke(address)
      client.loseReply(times)
      for (let reads = 0; reads < 5; reads += 1) await expectDistrust(() => store.read(address))
    })
  }

  it('tells nothing, and says of no change that it was made', async () => {
    const { address } = await issue()
    client.heal = false
    await store.ping()
    client.loseReply()
    for (const call of [...readsOf(address), ...changesOf(address)]) await expectDistrust(call)
  })

  it('goes on over a new connection after the first of them', async () => {
    const [alice, bob] = [await issue(), await issue()]
    await store.read(alice.address)
    client.loseReply()
    await expectDistrust(() => store.read(bob.address))
    expect(client.disconnects).to.deep.equal([true])
    expect(await store.read(bob.address)).to.include({ sessionId: bob.address.sessionId })
    expect(await store.read(alice.address)).to.include({ sessionId: alice.address.sessionId })
  })

  async function expectDistrust(work: () => Promise<unknown>): Promise<void> {
    expect(await failureOf(work))
      .to.be.instanceOf(StoreFailure)
      .with.property(
        'message',
        'Redis replied to another question than was asked: the connection is given up',
      )
    expect(client.disconnects).to.include(true)
  }
})

/**
 * A client that loses a reply when it is told to, and gives every later question the reply to the one before
 * it.
 */
class ShiftingClient implements RedisClient {
  readonly disconnects: boolean[] = []
  /** Whether a new connection mends it. */
  heal = true
  readonly #redis: RedisClient
  readonly #replies: Promise<unknown>[] = []
  #lost = 0

  constructor(redis: RedisClient) {
    this.#redis = redis
  }

  loseReply(times = 1): void {
    this.#lost += times
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const reply = this.#redis.call(command, ...args)
    this.#replies.push(reply)
    if (this.#lost === 0) return reply
    // What fails in Redis fails for the next one.
    reply.catch(() => undefined)
    return this.#replies.at(-1 - this.#lost) ?? null
  }

  disconnect(reconnect: boolean): void {
    this.disconnects.push(reconnect)
    if (this.heal) this.#lost = 0
  }
}
