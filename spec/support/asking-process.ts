import { Redis } from 'ioredis'
import { createSessions, RedisStore } from '../../lib/index.js'

/* A process of its own that asks for sessions by their tokens, before and after its turn; prints the second answers as JSON. */

interface Asking {
  readonly redisUrl: string
  readonly apps: readonly { readonly appid: string; readonly secret: string }[]
  readonly tokens: readonly string[]
}

const { redisUrl, apps, tokens } = JSON.parse(process.argv[2] ?? '') as Asking
const redis = new Redis(redisUrl)
const sessions = createSessions({ apps, store: new RedisStore(redis) })

const ask = () =>
  Promise.all(
    tokens.map((token) =>
      sessions.authenticate(token).then(
        () => 'alive',
        (error: { code: string }) => error.code,
      ),
    ),
  )

const before = await ask()
process.stdout.write(before.every((answer) => answer === 'alive') ? 'ready\n' : `${JSON.stringify(before)}\n`)
await new Promise((resolve) => process.stdin.once('data', resolve))
process.stdout.write(`${JSON.stringify(await ask())}\n`)
await sessions.close()
redis.disconnect()
process.stdin.destroy()
