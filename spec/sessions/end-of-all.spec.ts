import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { MemoryStore, WeappError } from '../../lib/index.js'
import { endAllSessions } from '../../lib/sessions/end-of-all.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import type { RevocationStep, RevokedBatch, SessionStore } from '../../lib/sessions/store.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const PAUSES = [0, 0]

describe('the end of all sessions', () => {
  /** A store that answers the steps one after the other; what is an Error is thrown. */
  function endWith(...answers: readonly (RevokedBatch | Error)[]) {
    const steps: RevocationStep[] = []
    const given = [...answers]
    const store: SessionStore = Object.assign(new MemoryStore(), {
      async revokeBatch(step: RevocationStep) {
        steps.push(step)
        const answer = given.shift() ?? new Error('there is nothing more to do')
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    const logger = keptLog()
    const guarded = guardStore({ store, timeoutMs: 1_000, clock: Date.now, logger })
    const progress: number[] = []
    let answer = (_cleared: number): unknown => undefined
    const onProgress = (cleared: number) => {
      progress.push(cleared)
      return answer(cleared)
    }
    const answerBy = (given: typeof answer) => {
      answer = given
    }
    const parts = { store: guarded, group: null, logger, onProgress, pausesMs: PAUSES }
    const run = (options = {}) => endAllSessions({ ...parts, ...options })
    return { run, steps, progress, answerBy }
  }

  const step = (revoked: number, next?: string): RevokedBatch => ({ revoked, next })
  const away = new Error('away')

  it('tells when all have ended, and then how many are cleared away', async () => {
    const { run, progress, steps } = endWith(step(0, 'a'), step(3, 'b'), step(4))
    expect(await run()).to.equal(7)
    expect(progress).to.deep.equal([0, 3, 7])
    expect(steps.map(({ cursor }) => cursor)).to.deep.equal([undefined, 'a', 'b'])
  })

  it('goes on with what has ended before, and ends nothing, where it is resumed', async () => {
    const { run, progress, steps } = endWith(step(0, 'a'), step(3))
    expect(await run({ isResumed: true })).to.equal(3)
    expect(progress).to.deep.equal([0, 3])
    expect(steps.map(({ cursor }) => cursor)).to.deep.equal(['', 'a'])
  })

  it('waits for who is told, and is ended by what that throws, also later', async () => {
    const { run, progress, steps, answerBy } = endWith(step(0, 'a'), step(3, 'b'), step(4))
    const full = new Error('the disk is full')
    answerBy(async (cleared) => {
      await turn()
      if (cleared > 0) throw full
    })
    const unhandled = await unhandledRejectionsDuring(async () => {
      expect(await failureOf(run)).to.equal(full)
    })
    expect(unhandled).to.deep.equal([])
    expect(progress).to.deep.equal([0, 3])
    expect(steps).to.have.lengthOf(2)
  })

  it('goes on where it was after steps that failed', async () => {
    const { run, steps } = endWith(step(0, 'a'), away, step(3, 'b'), away, away, step(4))
    expect(await run()).to.equal(7)
    expect(steps.map(({ cursor }) => cursor)).to.deep.equal([undefined, 'a', 'a', 'b', 'b', 'b'])
  })

  it('gives up after the last pause, and says that all have ended', async () => {
    const { run, steps, progress } = endWith(step(0, 'a'), step(3, 'b'), away, away, away, step(4))
    const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', run)
    expect(error.message).to.include('have all ended').and.include('only 3 are cleared away')
    expect(steps).to.have.lengthOf(5)
    expect(progress).to.deep.equal([0, 3])
  })

  it('does not try the first step again, and does not say that any has ended', async () => {
    const { run, steps, progress } = endWith(away, step(0, 'a'))
    const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', run)
    expect(error.message).to.not.include('ended')
    expect([steps.length, progress.length]).to.deep.equal([1, 0])
    expect(error).to.be.instanceOf(WeappError)
  })
})
