import { Redis } from 'ioredis'
import { createSessions, RedisStore } from '../../lib/index.js'

/* A process of its own that asks for many phone numbers at once, and prints them as JSON. */

interface Crowd {
  readonly redisUrl: string
  readonly baseUrl: string
  readonly app: { readonly appid: string; readonly secret: string }
  readonly codes: readonly string[]
}

const { redisUrl, baseUrl, app, codes } = JSON.parse(process.argv[2] ?? '') as Crowd
const redis = new Redis(redisUrl)
const sessions = createSessions({ apps: [app], store: new RedisStore(redis), wechat: { baseUrl } })
await redis.ping()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))

const results = await Promise.all(codes.map((code) => sessions.phoneNumber({ code })))
process.stdout.write(`${JSON.stringify(results.map(({ phoneNumber }) => phoneNumber))}\n`)
await sessions.close()
redis.disconnect()
process.stdin.destroy()
