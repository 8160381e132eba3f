import { expect } from 'chai'
import { describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { endAllSessions, HOUR, newId, storeUnderTest } from '../../store-contract/store-under-test.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

describe('two RedisStores with different prefixes', () => {
  const redis = aRedisClient()
  const { entry } = storeUnderTest(Date.now, () => expect.fail('there is not one store here'))

  it('know nothing of each other', async () => {
    const [mine, theirs] = [freshPrefix(), freshPrefix()].map((prefix) => new RedisStore(redis(), { prefix }))
    if (!mine || !theirs) return expect.fail()
    const [login, id] = [entry({ userInfo: '{}' }), newId()]
    await mine.issue(login)
    await mine.replaceValue({ id, from: null, to: 'mine', keepMs: HOUR })

    const { handle, sessionId } = login.address
    const nobody = { sessions: [], userInfo: null, wasHere: false }
    expect(await theirs.read(login.address)).to.equal(null)
    expect(await theirs.readUser(handle)).to.deep.equal(nobody)
    const window = { sessionDurationMs: HOUR, endsBy: Date.now() + HOUR }
    expect(await theirs.touch(login.address, window)).to.equal(null)
    expect(await theirs.rewrite(handle, [{ sessionId, from: login.record, to: 'theirs' }])).to.equal(0)
    expect(await theirs.revoke(login.address)).to.equal(false)
    expect(await theirs.revokeUser(handle)).to.equal(0)
    expect(await theirs.readValue(id)).to.equal(null)
    const change = { id, from: null, to: 'theirs', keepMs: HOUR }
    expect(await theirs.replaceValue(change)).to.include({ isReplaced: true })
    expect(await theirs.issue({ ...login, userInfo: undefined })).to.include({
      state: 'issued',
      seenBefore: false,
      userInfo: null,
    })
    await theirs.replaceValue({ id, from: 'theirs', to: null })
    await theirs.writeUserInfo(handle, 'theirs', HOUR)
    expect(await endAllSessions(theirs)).to.equal(1)

    expect(await mine.read(login.address)).to.include({ record: login.record, userInfo: '{}' })
    expect(await mine.readValue(id)).to.include({ text: 'mine' })
  })

  // Taken as a glob, the first of each pair matches keys of the second.
  for (const [mine, theirs] of [
    ['a*:', 'abc:'],
    ['a?:', 'ab:'],
    ['[ab]:', 'a:'],
    ['[^a]:', 'b:'],
    ['a\\b:', 'ab:'],
    ['a:', 'a:b:'],
    ['', 'value:'],
    ['', 'all'],
  ] as const) {
    it(`end their own sessions only: "${mine}" and "${theirs}"`, async () => {
      const base = freshPrefix()
      const [own, other] = [mine, theirs].map((end) => new RedisStore(redis(), { prefix: base + end }))
      const [login, otherLogin] = [entry(), entry()]
      await own?.issue(login)
      await other?.issue(otherLogin)
      expect(own && (await endAllSessions(own))).to.equal(1)
      expect(await own?.read(login.address)).to.equal(null)
      expect(await other?.read(otherLogin.address)).to.include({ record: otherLogin.record })
    })
  }
})
