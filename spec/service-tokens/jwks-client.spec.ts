import { createPublicKey } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { JwksClient } from '../../lib/service-tokens/jwks-client.js'
import type { KeySet } from '../../lib/service-tokens/key-set.js'
import type { TokenKey } from '../../lib/service-tokens/signature.js'
import { type TestClock, testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'
import { keyPair } from './forge.js'

const KEY = createPublicKey(keyPair())
const SECOND_MS = 1_000
const MINUTE_MS = 60_000

function setOf(...kids: string[]): KeySet {
  return new Map(kids.map((kid): [string, TokenKey] => [kid, { kid, alg: 'ES256', key: KEY }]))
}

describe('a JwksClient', () => {
  let clock: TestClock
  let log: KeptLog
  let random: number
  let fetches: number
  let fetchKeySet: () => Promise<KeySet>
  let client: JwksClient

  beforeEach(() => {
    clock = testClock(1_000_000)
    log = keptLog()
    random = 0
    fetches = 0
    fetchKeySet = async () => setOf('a')
    client = new JwksClient({
      fetchKeySet: () => {
        fetches += 1
        return fetchKeySet()
      },
      host: 'app.example.com',
      refreshMs: 5 * MINUTE_MS,
      maxStaleMs: 60 * MINUTE_MS,
      clock,
      logger: log,
      random: () => random,
    })
  })

  const down = async () => {
    throw new Error('HTTP status 500')
  }
  const kidOf = async (kid: string) => (await client.find(kid))?.kid
  const expectUnavailable = (kid: string) =>
    weappErrorOf('ERR_SERVICE_KEYS_UNAVAILABLE', () => client.find(kid))

  it('fetches once for a crowd, and not again while the keys are young', async () => {
    expect(await Promise.all(Array.from({ length: 50 }, () => kidOf('a')))).to.deep.equal(Array(50).fill('a'))
    clock.advance(4 * MINUTE_MS - 1)
    expect(await kidOf('a')).to.equal('a')
    expect(fetches).to.equal(1)
  })

  it('renews the keys in the background before they are old', async () => {
    await client.find('a')
    let finish: ((keys: KeySet) => void) | undefined
    fetchKeySet = () => new Promise((resolve) => (finish = resolve))
    clock.advance(4 * MINUTE_MS)
    expect(await Promise.all([kidOf('a'), kidOf('a')])).to.deep.equal(['a', 'a'])
    expect(fetches).to.equal(2)
    finish?.(setOf('b'))
    await setImmediate()
    expect(await kidOf('b')).to.equal('b')
    expect(await kidOf('a')).to.equal(undefined)
  })

  it('knows a key no more that has left the set, at the latest after five minutes', async () => {
    await client.find('a')
    fetchKeySet = async () => setOf('b')
    clock.advance(5 * MINUTE_MS)
    expect(await kidOf('a')).to.equal(undefined)
    expect(await kidOf('b')).to.equal('b')
    fetchKeySet = async () => setOf()
    clock.advance(5 * MINUTE_MS)
    expect(await kidOf('b')).to.equal(undefined)
    expect(log.lines).to.deep.equal([
      'error: the keys of service tokens at app.example.com have none that can be used',
    ])
  })

  it('fetches for an unknown kid once in thirty seconds, however many come', async () => {
    await client.find('a')
    for (let index = 0; index < 100; index++) expect(await kidOf(`x${index}`)).to.equal(undefined)
    expect(fetches).to.equal(1)
    clock.advance(30_000)
    fetchKeySet = async () => setOf('a', 'b')
    expect(await Promise.all(['x', 'b', 'y'].map(kidOf))).to.deep.equal([undefined, 'b', undefined])
    expect(fetches).to.equal(2)
  })

  it('tells of an outage that follows another one within the minute, when the minute is over', async () => {
    const up = async () => setOf('a')
    const findsAfter = async (seconds: number, fetchThem: () => Promise<KeySet>) => {
      fetchKeySet = fetchThem
      clock.advance(seconds * SECOND_MS)
      await client.find('new').catch(() => undefined)
    }
    await findsAfter(0, up)
    await findsAfter(300, down)
    await findsAfter(2, up)
    await findsAfter(30, down)
    expect(log.lines).to.have.lengthOf(2)
    await findsAfter(30, down)
    expect(log.lines).to.have.lengthOf(3)
    expect(log.lines[2]).to.include('cannot be fetched (HTTP status 500)')
    await findsAfter(60, down)
    expect(log.lines).to.have.lengthOf(3)
  })

  it('serves known keys for the stated time while the set cannot be fetched, and not a millisecond longer', async () => {
    await client.find('a')
    fetchKeySet = down
    clock.advance(5 * MINUTE_MS)
    expect(await kidOf('a')).to.equal('a')
    await expectUnavailable('b')
    clock.advance(60 * MINUTE_MS - 1)
    expect(await kidOf('a')).to.equal('a')
    clock.advance(1)
    await expectUnavailable('a')
    expect(log.lines).to.deep.equal([
      'error: the keys of service tokens at app.example.com cannot be fetched (HTTP status 500): known keys serve for 3600 s more',
    ])
    fetchKeySet = async () => setOf('a')
    clock.advance(MINUTE_MS)
    expect(await kidOf('a')).to.equal('a')
    expect(log.lines.slice(1)).to.deep.equal([
      'warn: the keys of service tokens at app.example.com can be fetched again',
    ])
  })

  it('lets no request with a known key wait for a set that is known to be down', async () => {
    await client.find('a')
    fetchKeySet = down
    clock.advance(5 * MINUTE_MS)
    await client.find('a')
    clock.advance(MINUTE_MS)
    fetchKeySet = () => new Promise(() => undefined)
    expect(await kidOf('a')).to.equal('a')
    expect(fetches).to.equal(3)
  })

  it('waits longer after each failure, a minute at most, and says 503 meanwhile', async () => {
    fetchKeySet = down
    await expectUnavailable('a')
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = fetches
      clock.advance(seconds * 1000 - 1)
      await expectUnavailable('a')
      expect(fetches).to.equal(before)
      clock.advance(1)
      await expectUnavailable('a')
      expect(fetches).to.equal(before + 1)
    }
    expect(log.lines).to.have.lengthOf(1)
    expect(log.lines[0]).to.include('no service token can be checked')
  })

  it('waits only half as long where chance wants it, so that services do not ask at the same moment', async () => {
    fetchKeySet = down
    random = 1
    for (const halfSeconds of [1, 2, 4, 8]) {
      await expectUnavailable('a')
      const before = fetches
      clock.advance(halfSeconds * 500 - 1)
      await expectUnavailable('a')
      expect(fetches).to.equal(before)
      clock.advance(1)
    }
  })

  it('tells of an issuer that fails and works by turns once a minute', async () => {
    for (let turns = 0; turns < 50; turns += 1) {
      fetchKeySet = turns % 2 === 0 ? down : async () => setOf('a')
      clock.advance(1000)
      await client.find(`unknown ${turns}`).catch(() => undefined)
      if (turns % 2 === 1) clock.advance(-1000)
    }
    expect(log.lines.length).to.be.at.most(3)
  })

  it('goes on when its clock is set back', async () => {
    await client.find('a')
    clock.advance(-24 * 60 * MINUTE_MS)
    fetchKeySet = async () => setOf('b')
    expect(await kidOf('a')).to.equal(undefined)
    expect(await kidOf('b')).to.equal('b')
  })
})
