import { Redis } from 'ioredis'
import { createSessions, RedisStore } from '../../lib/index.js'

/* A process of its own that logs in many times at once with one code, and prints the tokens it got as JSON. */

interface Crowd {
  readonly redisUrl: string
  readonly baseUrl: string
  readonly app: { readonly appid: string; readonly secret: string }
  readonly code: string
  readonly logins: number
}

const { redisUrl, baseUrl, app, code, logins } = JSON.parse(process.argv[2] ?? '') as Crowd
const redis = new Redis(redisUrl)
const sessions = createSessions({ apps: [app], store: new RedisStore(redis), wechat: { baseUrl } })
await redis.ping()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))

const origin = { mount: '/login', nonce: 'one-phone-at-once' }
const results = await Promise.all(Array.from({ length: logins }, () => sessions.login({ code, origin })))
process.stdout.write(`${JSON.stringify(results.map(({ token }) => token))}\n`)
await sessions.close()
redis.disconnect()
process.stdin.destroy()
