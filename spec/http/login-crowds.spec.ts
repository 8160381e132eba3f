import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { MemoryStore } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { inCrowds } from '../support/crowds.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

/** Carriers in China put thousands of phones behind one address, which is that of this machine here. */
describe('a crowd behind one address, with the default limits,', function () {
  this.timeout(60_000)
  let bed: TestBed
  let store: WatchedStore
  let server: Server
  let http: TestBed['http']

  beforeEach(async () => {
    const clock = testClock()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ clock, store, storeTimeoutMs: 20_000 })
    server = bed.app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    http = supertest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  afterEach(async () => {
    server.close()
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  const logIn = (code: string) => http.post('/login').send({ code })
  const newCode = async () => (await bed.sandbox.phone().wx.login()).code
  let invented = 0
  const invent = () => `invented${++invented}`

  it('of 1,000 users logs in within a minute, though every third sends a code first that has expired', async () => {
    const answers = await inCrowds(1000, 100, async (index) => {
      if (index % 3 === 0) expectProblem(await logIn(invent()), 401, 'ERR_CODE_INVALID')
      return logIn(await newCode())
    })
    expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([])
  })

  it('of 500 logs in at the same moment', async () => {
    const codes = await inCrowds(500, 50, newCode)
    const answers: number[] = []
    const waiting: (() => void)[] = []
    // Whoever has been counted claims a code next; all of them have to be that far.
    const letAllGo = () => {
      if (waiting.length + answers.length < codes.length) return
      store.before = () => undefined
      for (const go of waiting) go()
    }
    store.before = async (method) => {
      if (method !== 'replaceValue') return
      await new Promise<void>((go) => {
        waiting.push(go)
        letAllGo()
      })
    }
    await Promise.all(
      codes.map(async (code) => {
        const { status } = await logIn(code)
        answers.push(status)
        letAllGo()
      }),
    )
    expect(waiting).to.have.lengthOf(codes.length)
    expect(answers.filter((status) => status !== 200)).to.deep.equal([])
  })

  it('goes on with its sessions while somebody in it invents codes, and logs in again a minute later', async () => {
    const tokens = await inCrowds(20, 10, async () => (await logIn(await newCode())).body.token as string)
    await inCrowds(1000, 50, () => logIn(invent()))
    const reached = bed.sandbox.callCount(EXCHANGE)
    for (const token of tokens) await bed.me(token).expect(200)
    const codes = await inCrowds(20, 10, newCode)
    for (const code of codes) {
      const refused = await logIn(code)
      expectProblem(refused, 429, 'ERR_LOGIN_LIMIT')
      expect(Number(refused.headers['retry-after'])).to.be.within(1, 60)
    }
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(reached)
    bed.clock.advance(60_000)
    for (const code of codes) await logIn(code).expect(200)
  })
})
