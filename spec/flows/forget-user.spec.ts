import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, RedisStore, type Session, type SessionsOptions } from '../../lib/index.js'
import { codeIdOf, valueIdOf } from '../../lib/sessions/token.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const OLD_KEY = 'an older secret of 32 characters or more'
const KEY = 'a newer secret of 32 characters or more'
const TEN_MINUTES_MS = 600_000
/** All that may be left of a user: when the sessions were ended. */
const MARK_ALONE = /^1[0-9]{16}0{13}$/

describe('forgetUser', () => {
  let redis: Redis
  let store: WatchedStore
  let bed: TestBed
  let known: Session
  /** The codes that were used, which are remembered for minutes and name nobody. */
  const codes: string[] = []

  beforeEach(async () => {
    codes.length = 0
    redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    store = watchStore(new RedisStore(redis))
    bed = await openTestBed({ store, keys: [KEY, OLD_KEY], apps: 2 })
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
  })

  const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })

  async function newCode(): Promise<string> {
    const { code } = await bed.phone.wx.login()
    codes.push(code)
    return code
  }

  async function logIn(sessions = bed.sessions) {
    const { appid } = bed.phone
    return sessions.login({ appid, code: await newCode(), userInfo: { nickName: 'Ada' } })
  }

  /** Everything that can be known of a user, under both keys of the ring. */
  async function becomeKnown() {
    const options: SessionsOptions = {
      apps: bed.sandbox.apps.map(({ appid, secret }) => ({ appid, secret })),
      store,
      keys: [OLD_KEY],
      wechat: { baseUrl: bed.sandbox.url },
    }
    const before = createSessions(options)
    await logIn(before)
    await before.close()
    const { session } = await logIn()
    await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' } })
    const { code } = await bed.phone.getPhoneNumber()
    await bed.sessions.phoneNumber({ ...user(), code, keep: true })
    const encryptedData = Buffer.alloc(32, 1).toString('base64')
    const iv = Buffer.alloc(16, 1).toString('base64')
    await failureOf(() => bed.sessions.decrypt(session, { encryptedData, iv }))
    return session
  }

  /** The keys in Redis but for those of the codes and for what is remembered of `keys`, each with its value and how long it lasts. */
  async function allThatIsLeft(): Promise<{ key: string; value: string; endsInMs: number }[]> {
    const { appid } = bed.phone
    const ofCodes = codes.map((code) => `weapp:value:${codeIdOf(appid, code)}`)
    const ofKeys = `weapp:value:${valueIdOf({ appid, purpose: 'keys in use' })}`
    const found = []
    for (const key of await redis.keys('*')) {
      const value = (await redis.get(key)) ?? ''
      if (ofCodes.includes(key) || key === ofKeys) continue
      found.push({ key, value, endsInMs: await redis.pttl(key) })
    }
    return found
  }

  /** The sealed answers to the codes, and the access token of the app: what is there without any user. */
  function isNobodys({ key, endsInMs }: { key: string; endsInMs: number }): boolean {
    const accessToken = valueIdOf({ appid: bed.phone.appid, purpose: 'access_token' })
    return key === `weapp:value:${accessToken}` || (key.startsWith('weapp:value:') && endsInMs <= 60_000)
  }

  it('leaves nothing of a user under any key, but for ten minutes the moment of the call', async () => {
    await becomeKnown()
    const handles = await redis.keys('weapp:{*}')
    expect(handles).to.have.length(2)
    expect((await allThatIsLeft()).filter((each) => !isNobodys(each))).to.have.length(4)
    await bed.sessions.forgetUser(user())
    await bed.sessions.close()

    const left = (await allThatIsLeft()).filter((each) => !isNobodys(each))
    expect(left.map(({ key }) => key)).to.have.members(handles)
    for (const key of await redis.keys('*'))
      expect(key + (await redis.get(key))).to.not.include(bed.phone.openid)
    for (const { value, endsInMs } of left) {
      expect(value).to.match(MARK_ALONE)
      expect(endsInMs).to.be.within(1, TEN_MINUTES_MS)
    }
  })

  it('leaves a stranger behind: the next login is the first, without a profile', async () => {
    await becomeKnown()
    await bed.sessions.forgetUser(user())
    const login = await bed.sessions.login({ appid: bed.phone.appid, code: await newCode() })
    expect([login.seenBefore, login.session.userInfo]).to.deep.equal([false, null])
  })

  it('forgets a user who is not known, again and again', async () => {
    for (let times = 0; times < 2; times += 1) await bed.sessions.forgetUser(user())
    for (const { value } of await allThatIsLeft()) expect(value).to.match(MARK_ALONE)
  })

  for (const [what, method, underWay] of [
    ['a login', 'issue', () => logIn()],
    [
      'a profile of a session',
      'read',
      async () => bed.sessions.setUserInfo(known, { userInfo: { nickName: 'Eve' } }),
    ],
    [
      'a phone number that is to be kept',
      'replaceValue',
      async () => {
        const { code } = await bed.phone.getPhoneNumber()
        return bed.sessions.phoneNumber({ ...user(), code, keep: true })
      },
    ],
  ] as const) {
    it(`leaves nothing of what is under way: ${what}`, async () => {
      await bed.sessions.accessToken({ appid: bed.phone.appid })
      known = await becomeKnown()
      let goOn = () => {}
      const isAbout = new Promise<void>((resolve) => {
        const gate = new Promise<void>((open) => {
          goOn = open
        })
        let isFirst = true
        store.before = async (name) => {
          if (name !== method || !isFirst) return
          isFirst = false
          resolve()
          await gate
        }
      })
      const work = Promise.resolve(underWay()).catch((error: unknown) => error)
      await isAbout
      await bed.sessions.forgetUser(user())
      goOn()
      await work
      await bed.sessions.close()
      const left = (await allThatIsLeft()).filter((each) => !isNobodys(each))
      for (const { key, value } of left) expect(value, key).to.match(MARK_ALONE)
    })
  }

  it('is of one app, where there are several', async () => {
    const [mine, theirs] = bed.sandbox.apps
    const narrowed = bed.sessions.ofApp(theirs?.appid ?? '')
    await becomeKnown()
    await weappErrorOf('ERR_APP_UNKNOWN', () => narrowed.forgetUser({ ...user(), appid: mine?.appid ?? '' }))
    await narrowed.forgetUser({ openid: bed.phone.openid })
    expect(await bed.sessions.list(user())).to.have.length(2)
    await bed.sessions.ofApp(bed.phone.appid).forgetUser({ openid: bed.phone.openid })
    expect(await bed.sessions.list(user())).to.deep.equal([])
  })
})
