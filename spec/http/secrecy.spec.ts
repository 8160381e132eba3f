import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { dumpOf } from '../support/redis-dump.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('secrets', () => {
  let redis: Redis
  let bed: TestBed

  beforeEach(async () => {
    redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    bed = await openTestBed({ store: new RedisStore(redis), wechat: { timeoutMs: 1500 } })
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
  })

  it('are not in Redis: no key and no value holds a token, a session_key, a code or an AppSecret', async () => {
    const planted: string[] = [bed.sandbox.app.secret]
    for (const phone of [bed.phone, bed.phone, bed.sandbox.phone()]) {
      const { code } = await phone.wx.login()
      const { rawData, signature } = await phone.wx.getUserProfile({ desc: 'to greet you' })
      const { body } = await bed.http.post('/login').send({ code, rawData, signature }).expect(200)
      planted.push(code, body.token, body.token.slice(20), bed.sandbox.sessionKeyOf(phone))
    }
    await bed.close()
    const dump = await dumpOf(redis)
    expect(dump).to.contain(bed.phone.openid)
    for (const secret of planted) {
      const raw = Buffer.from(secret, 'base64')
      for (const form of [secret, encodeURIComponent(secret), raw.toString('latin1'), raw.toString('hex')]) {
        expect(dump).not.to.contain(form)
      }
    }
  })

  it('are in no answer and in no log line, whatever fails', async () => {
    const planted: string[] = [bed.sandbox.app.secret]
    const seen: string[] = []
    const ways: Misbehaviour[] = ['hang', 'drop', 'truncated', 'badJson', 'html', 'redirect', 'wrongTypes']
    const errmsg = `invalid ${bed.sandbox.app.secret} rid: 0123abcd-4567cdef-89abcdef`
    const errors = [-1, 40013, 40029, 40125, 40164, 45011, 77777].map((errcode) => ({ errcode, errmsg }))
    for (const misbehaviour of [...ways, ...errors]) {
      const { code } = await bed.phone.wx.login()
      planted.push(code, bed.sandbox.sessionKeyOf(bed.phone))
      const restore = bed.sandbox.misbehave(misbehaviour)
      const token = `${code}${code}`
      const res = await bed.http.post('/login').set('x-3rd-session', token).send({ code })
      restore()
      seen.push(res.text, JSON.stringify(res.headers))
      planted.push(token)
    }
    await bed.sandbox.takeDown()
    seen.push((await bed.http.post('/login').send({ code: 'unreachable-code' })).text)
    planted.push('unreachable-code')
    expect(bed.log.length).to.be.greaterThan(5)
    const everything = [...seen, ...bed.log].join('\n')
    for (const secret of planted) expect(everything).not.to.contain(secret)
    // Where WeChat was looked for is for the operator.
    const { host } = new URL(bed.sandbox.url)
    expect(seen.join('\n')).not.to.contain(host)
    expect(bed.log.at(-1)).to.contain(host)
  })
})
