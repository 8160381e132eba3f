import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import { KeysInUse } from '../../lib/sessions/keys-in-use.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { valueIdOf } from '../../lib/sessions/token.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { keptLog } from '../support/log-lines.js'
import { DAY_MS, GAME, LOGIN, MINUTE_MS, methodsOf, recording, SHOP, type StoreCall } from './a-registry.js'

const OLD = 'an old secret of the operator, 2025'
const NEW = 'a new secret of the operator, 2026!'
const HOUR_MS = 60 * MINUTE_MS
const ID = valueIdOf({ purpose: 'keys in use', appid: SHOP.appid })
const idOf = (secret: string) => createKeyRing([secret], []).keyIdsOf(SHOP.appid)[0] ?? ''

/** Processes on one store, each with keys of its own. */
function deployment() {
  const clock = testClock(LOGIN)
  const memory = new MemoryStore({ clock })
  return {
    clock,
    memory,
    start(secrets: readonly string[] | undefined, infos = [SHOP, GAME], instead: Partial<SessionStore> = {}) {
      const apps = createApps('apps', infos, 0.1)
      const calls: StoreCall[] = []
      const log = keptLog()
      const store = recording(memory, instead, calls)
      const keyRing = createKeyRing(secrets, apps.all)
      const keysInUse = new KeysInUse({ apps, store, keyRing, clock, logger: log })
      return {
        keysInUse,
        calls,
        lines: log.lines,
        async logIn(appid = SHOP.appid) {
          keysInUse.noteLogin(apps.choose(appid))
          await keysInUse.idle()
        },
      }
    },
  }
}

/** What a process with these keys says at its start, after logins with other ones. */
async function saidAfter(
  before: readonly string[] | undefined,
  now: readonly string[] | undefined,
  infos = [SHOP, GAME],
) {
  const { start } = deployment()
  const first = start(before)
  await first.logIn(SHOP.appid)
  await first.logIn(GAME.appid)
  const second = start(now, infos)
  await second.keysInUse.check()
  return second.lines
}

describe('a key under which sessions began', () => {
  it('is told when it is missing: which, whose, until when, what follows and what to do', async () => {
    expect(await saidAfter([OLD], [NEW])).to.deep.equal([
      `warn: the secret with the id ${idOf(OLD)} is missing, under which sessions of wxShop, wxGame began until ` +
        '2026-01-01T00:00:00.000Z: they are unknown here, so their users log in again; phone numbers and access ' +
        'tokens under it have to be fetched anew. To keep them, put it back at the end of "keys"',
    ])
  })

  it('is told when a newer process already uses it, as after a rollback', async () => {
    expect(await saidAfter([NEW, OLD], [OLD])).to.have.length(1)
  })

  it('is nothing to tell while it is in the ring, first or last', async () => {
    expect(await saidAfter([OLD], [NEW, OLD])).to.deep.equal([])
    expect(await saidAfter([OLD], [OLD])).to.deep.equal([])
    expect(await saidAfter(undefined, undefined)).to.deep.equal([])
  })

  it('is not one that only opened: no session began under it', async () => {
    expect(await saidAfter([NEW, OLD], [NEW])).to.deep.equal([])
  })

  it('is told of each app whose AppSecret was changed, where the AppSecrets are the keys', async () => {
    const lines = await saidAfter(undefined, undefined, [SHOP, { ...GAME, secret: 'another secret' }])
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include('sessions of wxGame began').and.to.include('If the AppSecret was changed')
  })

  it('is told as the AppSecret where `keys` was set for the first time without it', async () => {
    const long = { ...SHOP, secret: 'an AppSecret of 32 hex digits or so' }
    const { start } = deployment()
    await start(undefined, [long]).logIn()
    const after = start([NEW], [long])
    await after.keysInUse.check()
    expect(after.lines).to.have.length(1)
    expect(after.lines[0]).to.include('It is the AppSecret: put that at the end of "keys"')
    const right = start([NEW, long.secret], [long])
    await right.keysInUse.check()
    expect(right.lines).to.deep.equal([])
  })

  it('is no concern of a process that does not have the app', async () => {
    expect(await saidAfter(undefined, undefined, [SHOP])).to.deep.equal([])
    expect(await saidAfter([OLD], [NEW], [{ ...SHOP, appid: 'wxOther' }])).to.deep.equal([])
  })

  it('is told once in a process, however often it is asked and whoever logs in', async () => {
    const { start } = deployment()
    await start([OLD]).logIn()
    const second = start([NEW])
    for (let times = 0; times < 3; times += 1) {
      await second.keysInUse.check()
      await second.logIn()
      await second.logIn(GAME.appid)
    }
    expect(second.lines).to.have.length(1)
  })

  it('is told at the first login where nobody asks before, and within the hour when it comes later', async () => {
    const { start, clock } = deployment()
    await start([OLD]).logIn()
    const second = start([NEW])
    await second.logIn()
    expect(second.lines).to.have.length(1)
    await start(['a third secret of the operator, 32']).logIn()
    clock.advance(HOUR_MS)
    await second.logIn()
    expect(second.lines).to.have.length(2)
  })

  it('is told until no session can live under it, to the millisecond', async () => {
    const { start, clock } = deployment()
    await start([OLD]).logIn()
    const told = async () => {
      const process = start([NEW])
      await process.keysInUse.check()
      return process.lines.length
    }
    clock.advance(10 * DAY_MS - 1)
    expect(await told()).to.equal(1)
    clock.advance(1)
    expect(await told()).to.equal(0)
  })

  it('counts from the last hour of its use, not from its first', async () => {
    const { start, clock } = deployment()
    const first = start([OLD])
    for (let day = 0; day < 20; day += 1) {
      await first.logIn()
      clock.advance(DAY_MS)
    }
    const second = start([NEW])
    await second.keysInUse.check()
    expect(second.lines[0]).to.include(new Date(LOGIN + 19 * DAY_MS).toISOString())
  })
})

describe('what is remembered of keys', () => {
  it('is their ids and times, for as long as a session can live', async () => {
    const { start, memory, clock } = deployment()
    await start([OLD]).logIn()
    clock.advance(MINUTE_MS)
    await start([NEW, OLD]).logIn()
    const value = await memory.readValue(ID)
    expect(JSON.parse(value?.text ?? '')).to.deep.equal({
      [idOf(OLD)]: LOGIN,
      [idOf(NEW)]: LOGIN + MINUTE_MS,
    })
    expect(value?.leftMs).to.equal(10 * DAY_MS)
  })

  it('costs nothing but a look at the first login of a process, and one write an hour for all of them', async () => {
    const { start, clock } = deployment()
    const processes = Array.from({ length: 5 }, () => start([OLD], [SHOP]))
    const methods = () => processes.map(({ calls }) => methodsOf(calls.splice(0)))
    for (const { logIn } of processes) await logIn()
    const [first, ...others] = methods()
    expect(first).to.deep.equal(['readValue', 'readValue', 'replaceValue'])
    for (const other of others) expect(other).to.deep.equal(['readValue', 'readValue'])
    clock.advance(HOUR_MS - 1)
    for (const { logIn } of processes) await logIn()
    expect(methods()).to.deep.equal([[], [], [], [], []])
    clock.advance(1)
    for (const { logIn } of processes) await logIn()
    expect(
      methods()
        .flat()
        .filter((method) => method === 'replaceValue'),
    ).to.have.length(1)
  })

  it('is looked at again when the clock of the process was set back', async () => {
    const { start, clock } = deployment()
    const { logIn, calls } = start([OLD])
    await logIn()
    calls.length = 0
    clock.advance(-DAY_MS)
    await logIn()
    expect(methodsOf(calls)).to.deep.equal(['readValue', 'replaceValue'])
  })

  it('is not written by a process that nobody logs in to', async () => {
    const { start, memory } = deployment()
    await start([OLD]).keysInUse.check()
    expect(await memory.readValue(ID)).to.equal(null)
  })

  it('loses none of two keys that are noted at the same time', async () => {
    const { start, memory } = deployment()
    await Promise.all([OLD, NEW].map((secret) => start([secret]).logIn()))
    const value = await memory.readValue(ID)
    expect(JSON.parse(value?.text ?? '')).to.have.all.keys(idOf(OLD), idOf(NEW))
  })

  it('is ten keys at most, those in use last', async () => {
    const { start, clock, memory } = deployment()
    const secrets = Array.from({ length: 12 }, (_, n) => `secret ${n} of the operator, 32 letters`)
    for (const secret of secrets) {
      await start([secret]).logIn()
      clock.advance(MINUTE_MS)
    }
    const value = await memory.readValue(ID)
    expect(JSON.parse(value?.text ?? '')).to.have.all.keys(secrets.slice(2).map(idOf))
  })

  for (const [what, text] of [
    ['no JSON', '{'],
    ['a list', '[1]'],
    ['names that are no ids', `{"\\n[31m":${LOGIN},"too long to be one":${LOGIN}}`],
    ['times that are none', '{"abcdef":"now","abcdeg":null,"abcdeh":1e999}'],
    ['times of another age', `{"abcdef":1,"abcdeg":${LOGIN * 100}}`],
  ]) {
    it(`is nothing where it is damaged, and is written anew: ${what}`, async () => {
      const { start, memory } = deployment()
      await memory.replaceValue({ id: ID, from: null, to: text ?? '', keepMs: DAY_MS })
      const process = start([OLD])
      await process.logIn()
      expect(process.lines).to.deep.equal([])
      expect(JSON.parse((await memory.readValue(ID))?.text ?? '')).to.deep.equal({ [idOf(OLD)]: LOGIN })
    })
  }
})

describe('a store that is down', () => {
  const down = () => Promise.reject(new Error('down'))

  it('fails nobody, and is asked again a minute later', async () => {
    const { start, clock, memory } = deployment()
    await start([OLD]).logIn()
    let isDown = true
    const process = start([NEW], [SHOP], {
      readValue: (id) => (isDown ? down() : memory.readValue(id)),
    })
    await process.keysInUse.check()
    await process.logIn()
    isDown = false
    clock.advance(MINUTE_MS - 1)
    await process.keysInUse.check()
    await process.logIn()
    expect(process.lines).to.deep.equal([])
    clock.advance(1)
    await process.keysInUse.check()
    expect(process.lines).to.have.length(1)
    await process.logIn()
    expect(JSON.parse((await memory.readValue(ID))?.text ?? '')).to.have.all.keys(idOf(OLD), idOf(NEW))
  })
})
