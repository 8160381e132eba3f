import { setTimeout as delay } from 'node:timers/promises'
import type { Misbehaviour } from '../../sandbox/index.js'
import type { AppServer } from './app-server.js'
import type { Passage } from './fault-proxy.js'
import type { Model } from './model.js'
import type { Random } from './random.js'
import type { World } from './world.js'

/** What goes wrong for a while. */
export interface Fault {
  readonly kind: string
  /** What fails. */
  readonly of: 'Redis' | 'the network' | 'WeChat' | 'an app server'
  /** Whether login codes may reach WeChat more than once. */
  readonly resendsCodes?: boolean
  /** Begins it, and resolves when it is over. */
  run(world: World, random: Random): Promise<void>
}

export const EXCHANGE = '/sns/jscode2session'
/** Says that WeChat is busy: it has not looked at the code, which may be sent again. */
const BUSY = -1
const STABLE_TOKEN = '/cgi-bin/stable_token'
const PHONE_NUMBER = '/wxa/business/getuserphonenumber'

/** All that the soak does to the servers. Redis, the network and WeChat fail for both app servers alike. */
export const FAULTS: readonly Fault[] = [
  {
    of: 'Redis',
    kind: 'Redis killed',
    async run({ redis }, random) {
      await redis.kill()
      await delay(random.between(200, 8_000))
      await redis.restart()
    },
  },
  {
    of: 'Redis',
    kind: 'Redis paused',
    async run({ redis }, random) {
      redis.pause()
      await delay(random.between(1_000, 8_000))
      redis.resume()
    },
  },
  configured('Redis out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
  // It follows a primary that is not there, so that it keeps what it has and takes no writes.
  configured('Redis read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  {
    of: 'Redis',
    kind: 'scripts forgotten',
    async run({ control }) {
      await control.call('SCRIPT', 'FLUSH')
    },
  },
  network('network slow, 300 ms', { kind: 'slow', roundTripMs: 300 }),
  network('network slow, 2 s', { kind: 'slow', roundTripMs: 2_000 }),
  network('black hole', { kind: 'black hole' }),
  network('replies lost', { kind: 'replies lost' }),
  wechat('WeChat hangs', 'hang'),
  wechat('WeChat resets', 'drop'),
  wechat('WeChat 500', 'http500'),
  wechat('WeChat HTML', 'html'),
  { ...wechat('WeChat -1', { errcode: BUSY }), resendsCodes: true },
  wechat('WeChat 45011', { errcode: 45011 }),
  wechat('phone numbers hang', 'hang', PHONE_NUMBER),
  wechat('token refused, 40001', { errcode: 40001 }, PHONE_NUMBER),
  wechat('token refused, 42001', { errcode: 42001 }, PHONE_NUMBER),
  {
    of: 'WeChat',
    kind: 'token revoked',
    async run({ sandbox }) {
      sandbox.revokeAccessToken()
    },
  },
  noToken('no token, -1', { errcode: -1 }),
  noToken('no token, 500', 'http500'),
  noToken('no token, hangs', 'hang'),
  {
    of: 'an app server',
    kind: 'app server killed',
    async run({ mortal }, random) {
      await mortal.end('SIGKILL')
      await delay(random.between(200, 2_000))
      await mortal.start()
    },
  },
  {
    of: 'an app server',
    kind: 'app server terminated',
    async run({ mortal, model }) {
      await terminate(mortal, model)
      await mortal.start()
    },
  },
]

const [FIRST] = FAULTS

/** Has an app server end by itself. */
export async function terminate(server: AppServer, model: Model): Promise<void> {
  const code = await server.end('SIGTERM')
  if (code !== 0) model.wrong(`${server.name} ends with exit code ${code} after SIGTERM`)
}

function configured(kind: string, begin: readonly string[], end: readonly string[]): Fault {
  return {
    of: 'Redis',
    kind,
    async run({ control }, random) {
      const [command = '', ...args] = begin
      await control.call(command, ...args)
      await delay(random.between(2_000, 8_000))
      const [undo = '', ...undoArgs] = end
      await control.call(undo, ...undoArgs)
    },
  }
}

function network(kind: string, passage: Passage): Fault {
  return {
    of: 'the network',
    kind,
    async run({ proxy }, random) {
      proxy.passage = passage
      await delay(random.between(2_000, 8_000))
      proxy.passage = { kind: 'clear' }
    },
  }
}

function wechat(kind: string, how: Misbehaviour, path = EXCHANGE): Fault {
  return {
    of: 'WeChat',
    kind,
    async run({ sandbox }, random) {
      const behave = sandbox.misbehave(how, { path })
      await delay(random.between(3_000, 8_000))
      behave()
    },
  }
}

/** The access token ends, and another one cannot be had. */
function noToken(kind: string, how: Misbehaviour): Fault {
  const { of, run } = wechat(kind, how, STABLE_TOKEN)
  return {
    of,
    kind,
    run(world, random) {
      const isOver = run(world, random)
      world.sandbox.expireAccessToken()
      return isOver
    },
  }
}

/**
 * Deals faults so that each comes once before any comes again, and those of one thing that fails come apart.
 * A kill of Redis comes first, so that the shortest soak has it.
 */
export class FaultDeck {
  readonly #random: Random
  #left: Fault[] = []

  constructor(random: Random) {
    this.#random = random
  }

  next(): Fault {
    if (this.#left.length === 0) this.#left = this.#shuffled()
    return this.#left.pop() as Fault
  }

  #shuffled(): Fault[] {
    const parts = [...new Set(FAULTS.map((fault) => fault.of))].map((part) =>
      this.#random.shuffled(FAULTS.filter((fault) => fault.of === part)),
    )
    return parts
      .flatMap((part) =>
        part.map((fault, at) => ({
          fault,
          place: fault === FIRST ? 1 : (at + this.#random.next()) / part.length,
        })),
      )
      .sort((one, other) => one.place - other.place)
      .map(({ fault }) => fault)
  }
}
