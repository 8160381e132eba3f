import { setTimeout as delay } from 'node:timers/promises'
import { type Fault, FaultDeck, terminate } from './faults.js'
import { Growth } from './growth.js'
import { type Finding, type KnownSession, Model } from './model.js'
import type { Operations } from './operations.js'
import { Random } from './random.js'
import { type Recovered, Recovery } from './recovery.js'
import { SentCodes } from './sent-codes.js'
import type { Results } from './table.js'
import { Traffic } from './traffic.js'
import { Users } from './users.js'
import { openWorld } from './world.js'

export interface SoakOptions {
  readonly minutes: number
  /** Decides about the faults. */
  readonly seed: number
  readonly say: (line: string) => void
}

const FAULT_EVERY_MS = 20_000
const FIRST_FAULT_AFTER_MS = 10_000
const MOST_WARM_UP_MS = 60_000
/** Longer than users rest after what was not answered. */
const LAST_REST_MS = 6_000
const SETTLING_MS = 300
const MOST_SHOWN = 20
const AT_ONCE = 16
/** So often the end asks for a session, half a second apart, before it is found not to be told of. */
const MOST_TRIES = 20
const TRY_EVERY_MS = 500

/** Runs the traffic and the faults, and checks all sessions at the end. */
export async function soak({ minutes, seed, say }: SoakOptions): Promise<Results> {
  const counts = { wrong: 0, lost: 0, revived: 0 }
  let fault = 'none'
  const model = new Model(({ kind, what }: Finding) => {
    counts[kind] += 1
    if (counts[kind] <= MOST_SHOWN) say(`${kind}: ${what} (fault: ${fault})`)
  })
  const world = await openWorld(model)
  const recovery = new Recovery(world.servers.map(({ name }) => name))
  const users = new Users(world.sandbox, model)
  const faultRandom = new Random(seed)
  const traffic = new Traffic(world, { users, recovery, random: new Random(seed + 1) })
  const deck = new FaultDeck(faultRandom)
  const sentCodes = new SentCodes(world.sandbox, model)
  const lengthMs = minutes * 60_000
  const growth = new Growth(Math.min(MOST_WARM_UP_MS, lengthMs / 4))
  const beganAt = performance.now()
  const elapsed = () => performance.now() - beganAt

  async function takeBreath(): Promise<void> {
    await traffic.stop()
    // Until the app servers have seen that no connection is left.
    await delay(SETTLING_MS)
    await growth.measure(world.servers).catch(() => model.wrong('an app server does not tell what it uses'))
  }

  async function fail(): Promise<Fault> {
    const next = deck.next()
    fault = next.kind
    recovery.faultBegins()
    await next.run(world, faultRandom)
    recovery.faultEnds(fault, performance.now())
    return next
  }

  try {
    traffic.start()
    await delay(FIRST_FAULT_AFTER_MS)
    for (let nextAt = elapsed(); nextAt + FAULT_EVERY_MS <= lengthMs; nextAt += FAULT_EVERY_MS) {
      await takeBreath()
      traffic.start()
      const startedAt = elapsed()
      const { resendsCodes = false } = await fail()
      const lastedMs = elapsed() - startedAt
      await delay(Math.max(nextAt + FAULT_EVERY_MS - elapsed(), 0))
      say(progress(elapsed(), traffic.requests, lastedMs, recovery.settle()))
      sentCodes.check({ mayComeAgain: resendsCodes })
      fault = 'none'
    }
    await delay(Math.max(lengthMs - elapsed(), 0))
    await takeBreath()
    const { requests, refusedInCalm } = traffic
    say('checks all sessions')
    await delay(LAST_REST_MS)
    await checkAll(users.all(), traffic.operations, model)
    sentCodes.check({ mayComeAgain: false })
    for (const server of world.servers) await terminate(server, model)
    return { minutes, requests, refusedInCalm, ...counts, recovered: recovery.all, grown: growth.all() }
  } finally {
    await traffic.stop()
    await world.close()
  }
}

async function checkAll(sessions: KnownSession[], operations: Operations, model: Model): Promise<void> {
  const left = sessions.values()
  const ask = (session: KnownSession) =>
    session.life === 'ended' ? operations.trespass(session.token, session) : operations.visit(session)
  const isTold = async (session: KnownSession) => {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const outcome = await ask(session)
      if (outcome !== 'not now' && outcome !== 'unanswered') return true
      await delay(TRY_EVERY_MS)
    }
    return false
  }
  const check = async () => {
    for (const session of left)
      if (!(await isTold(session))) model.wrong('nobody tells of a session at the end')
  }
  await Promise.all(Array.from({ length: AT_ONCE }, check))
}

function progress(elapsedMs: number, requests: number, lastedMs: number, back?: Recovered): string {
  const seconds = Math.round(elapsedMs / 1000)
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  const { fault = '', ms } = back ?? {}
  const shown = Object.entries(ms ?? {}).map(
    ([need, value]) => `${need} ${value === undefined ? 'not' : Math.round(value)}`,
  )
  const lasted = `for ${(lastedMs / 1000).toFixed(1)} s`
  return `${time}  ${requests} requests  ${fault} ${lasted}, back after ms: ${shown.join(', ')}`
}
