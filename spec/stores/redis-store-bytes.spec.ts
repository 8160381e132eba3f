import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import { encodeRecord } from '../../lib/sessions/record.js'
import { addressOf, newToken, type SessionAddress } from '../../lib/sessions/token.js'
import { encodeUserInfo } from '../../lib/sessions/user-info.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const USERS = 5_000
const AT_ONCE = 500
const DAY_MS = 86_400_000
const APPID = 'wx4f4bc4dec97d474b'
const RING = createKeyRing(['k'.repeat(32)], createApps('apps', [{ appid: APPID, secret: 's' }], 0.02).all)

interface User {
  readonly openid: string
  readonly unionid: string
  readonly sessionKey: string
  readonly userInfo: Readonly<Record<string, string | number>>
}

/** With the profile of WeChat's published sample. */
function aUser(): User {
  const id = () => `o${randomBytes(21).toString('base64url').slice(0, 27)}`
  return {
    openid: id(),
    unionid: id(),
    sessionKey: randomBytes(16).toString('base64'),
    userInfo: {
      nickName: 'Band',
      gender: 1,
      language: 'zh_CN',
      city: 'Guangzhou',
      province: 'Guangdong',
      country: 'CN',
      avatarUrl: `http://wx.qlogo.cn/mmopen/vi_32/${randomBytes(70).toString('base64url').slice(0, 93)}/0`,
    },
  }
}

describe('the bytes that Redis needs for a session', () => {
  let server: RedisServer
  let redis: Redis

  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  /** Bytes a user. The first filling makes the tables of Redis as large as the second needs them. */
  async function bytesOf(write: (user: User) => Promise<unknown>): Promise<number> {
    const users = Array.from({ length: USERS }, aUser)
    let base = 0
    for (let filling = 0; filling < 2; filling += 1) {
      await redis.flushall('SYNC')
      base = await usedMemory()
      for (let at = 0; at < USERS; at += AT_ONCE) await Promise.all(users.slice(at, at + AT_ONCE).map(write))
    }
    return ((await usedMemory()) - base) / USERS
  }

  async function usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  }

  function sealed({ openid, sessionKey }: User, sessionId: string): string {
    return RING.seal(sessionKey, { appid: APPID, openid, sessionId })
  }

  function issuing(sessions: number) {
    const store = new RedisStore(redis)
    return async (user: User) => {
      const [handle = ''] = RING.handlesOf({ appid: APPID, openid: user.openid })
      for (let session = 0; session < sessions; session += 1) {
        const address = addressOf(newToken(handle)) as SessionAddress
        await store.issue({
          address,
          record: encodeRecord({
            appid: APPID,
            openid: user.openid,
            unionid: user.unionid,
            loginDurationMs: 30 * DAY_MS,
            sealedSessionKey: sealed(user, address.sessionId),
          }),
          loginDurationMs: 30 * DAY_MS,
          sessionDurationMs: 30 * DAY_MS,
          maxSessions: 10,
          onLimit: 'end-oldest',
          userInfo: encodeUserInfo({ ...user.userInfo, verified: true }),
          userInfoDurationMs: 365 * DAY_MS,
        })
      }
    }
  }

  /** As connect-redis writes what express-session gives it: as plain text, and without an index. */
  async function writeAsConnectRedis({ openid, unionid, sessionKey, userInfo }: User): Promise<void> {
    const cookie = {
      originalMaxAge: 30 * DAY_MS,
      expires: new Date(Date.now() + 30 * DAY_MS),
      httpOnly: true,
      path: '/',
    }
    const session = { cookie, openid, unionid, session_key: sessionKey, userInfo }
    const id = randomBytes(24).toString('base64url')
    await redis.set(`sess:${id}`, JSON.stringify(session), 'EX', (30 * DAY_MS) / 1000)
  }

  it('are no more than express-session and connect-redis need for the same data, index and profile included, and a second session is 0.6 of that at most', async () => {
    const theirs = await bytesOf(writeAsConnectRedis)
    const [one, two] = [await bytesOf(issuing(1)), await bytesOf(issuing(2))]
    expect(one, `${one} and ${theirs}`).to.be.at.most(theirs)
    expect(two - one, `${one} and ${two}`).to.be.at.most(0.6 * Math.min(one, theirs))
  }).timeout(180_000)
})
