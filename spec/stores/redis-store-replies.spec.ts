import { inspect } from 'node:util'
import { expect } from 'chai'
import { RedisStore } from '../../lib/index.js'
import { newAddress, newClaimant, storeUnderTest } from '../contracts/store-under-test.js'
import { failureOf } from '../support/failures.js'

const soon = Date.now() + 1_000

describe('RedisStore given a reply of the wrong shape', () => {
  const { entry } = storeUnderTest({ describe, it, beforeEach, afterEach }, Date.now, () =>
    expect.fail('there is no store here'),
  )

  const calls: Record<string, (store: RedisStore) => Promise<unknown>> = {
    read: (store) => store.read(newAddress()),
    hasSeen: (store) => store.hasSeen(newAddress().handle),
    issue: (store) => store.issue(entry()),
    touch: (store) => store.touch(newAddress(), soon, soon),
    remove: (store) => store.remove(newAddress()),
    removeUser: (store) => store.removeUser(newAddress().handle),
    list: (store) => store.list(newAddress().handle),
    rewrite: (store) => store.rewrite('user', [{ sessionId: 'session', from: 'old', to: 'new' }]),
    claim: (store) => store.claim('id', newClaimant(), soon),
    readValue: (store) => store.readValue('id'),
    replaceValue: (store) => store.replaceValue('id', null, 'value', soon),
    removeBatch: (store) => store.removeBatch(),
  }

  const wrongEverywhere = [
    undefined,
    {},
    true,
    Symbol('reply'),
    Buffer.from('1'),
    ['1', 2],
    [undefined],
    [{}],
  ]
  const wrong: Record<string, unknown[]> = {
    read: ['garbage', '', null, 1, [], [null], ['a', 'b', 'c'], [1, 2]],
    hasSeen: ['garbage', '1', null, [], [1]],
    issue: ['garbage', null, 1, [], [null, null], ['1', null], [1, 2], [1, null, 2], [1, '', {}]],
    touch: ['garbage', '1', null, [], [1]],
    remove: ['garbage', '1', null, [], [1]],
    removeUser: ['garbage', '1', null, [], [1]],
    list: ['garbage', '', null, 1, [1, 2], ['id'], [null, null], ['id', null]],
    rewrite: ['garbage', '1', null, [], [1]],
    claim: [1, [], ['']],
    readValue: [1, [], ['']],
    replaceValue: ['garbage', '1', null, [], [1]],
    removeBatch: ['garbage', null, 1, [], ['0'], ['0', 'key'], [undefined, []], [null, []], [{}, []]],
  }

  for (const [method, call] of Object.entries(calls)) {
    for (const reply of [...wrongEverywhere, ...(wrong[method] ?? [])]) {
      it(`fails: ${inspect(reply)} to ${method}`, async () => {
        const store = new RedisStore({ call: async () => reply })
        expect(await failureOf(() => call(store)))
          .to.be.an('error')
          .with.property('message')
          .that.matches(/^Redis answered something else/)
      })
    }
  }

  it('does not repeat the reply in the error: it may hold a profile', async () => {
    const store = new RedisStore({ call: async () => 'a secret' })
    expect(inspect(await failureOf(() => store.read(newAddress())))).to.not.include('a secret')
  })

  for (const [method, call] of Object.entries(calls)) {
    it(`passes on what the client throws to ${method}`, async () => {
      const error = new Error('Connection is closed.')
      const store = new RedisStore({ call: () => Promise.reject(error) })
      expect(await failureOf(() => call(store))).to.equal(error)
    })
  }

  it('does not take an error that only speaks of NOSCRIPT for a script that is missing', async () => {
    const commands: string[] = []
    const store = new RedisStore({
      async call(command) {
        commands.push(command)
        throw new Error('ERR user_script:1: NOSCRIPT')
      },
    })
    await failureOf(() => store.list('user'))
    expect(commands).to.deep.equal(['EVALSHA'])
  })
})
