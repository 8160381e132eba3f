import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { withinDeadline, withSignal } from '../lib/deadline.js'
import { failureOf } from './support/failures.js'
import { unhandledRejectionsDuring } from './support/unhandled-rejections.js'

const NEVER_REACHED_MS = 60_000
const tooLate = () => new Error('too late')

/** Counted after a turn: Mocha starts the timer of a test only once that has answered its promise. */
async function runningTimers(): Promise<number> {
  await turn()
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

describe('withinDeadline', () => {
  it('does not say that it took too long when the work has ended in the same turn', async () => {
    let timeouts = 0
    let end = (): void => undefined
    const work = new Promise<void>((resolve) => {
      end = resolve
    })
    const result = withinDeadline(work, 1, () => {
      timeouts += 1
      return new Error('late')
    })
    setTimeout(end, 1)
    await result
    await turn()
    expect(timeouts).to.equal(0)
  })

  it('answers what the work gives', async () => {
    expect(await withinDeadline(Promise.resolve('done'), NEVER_REACHED_MS, tooLate)).to.equal('done')
  })

  it('passes on the very error that the work ends in', async () => {
    const broken = new Error('broken')
    expect(await failureOf(() => withinDeadline(Promise.reject(broken), NEVER_REACHED_MS, tooLate))).to.equal(
      broken,
    )
  })

  it('gives up on work that does not end, with the error it was told to make', async () => {
    const error = new Error('too late')
    expect(await failureOf(() => withinDeadline(new Promise(() => {}), 1, () => error))).to.equal(error)
  })

  it('takes an answer that came in time to a process that was too busy to read it', async () => {
    const echo = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'])
    const answer = async () => String((await once(echo.stdout, 'data'))[0])
    try {
      echo.stdin.write('ready')
      await answer()
      const waiting = withinDeadline(answer(), 20, tooLate)
      echo.stdin.write('done')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      expect(await waiting).to.equal('done')
    } finally {
      echo.kill()
    }
  })

  it('makes no error when the work ends in time', async () => {
    let made = 0
    await withinDeadline(Promise.resolve(), NEVER_REACHED_MS, () => {
      made += 1
      return tooLate()
    })
    expect(made).to.equal(0)
  })

  it('leaves no timer behind, whether the work gives or fails', async () => {
    const before = await runningTimers()
    await withinDeadline(Promise.resolve(), NEVER_REACHED_MS, tooLate)
    await failureOf(() => withinDeadline(Promise.reject(new Error('broken')), NEVER_REACHED_MS, tooLate))
    expect(await runningTimers()).to.equal(before)
  })

  it('has a timer while it waits', async () => {
    const before = await runningTimers()
    let finish = () => {}
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    const waiting = withinDeadline(work, NEVER_REACHED_MS, tooLate)
    expect(await runningTimers()).to.equal(before + 1)
    finish()
    await waiting
  })

  it('leaves no rejection unhandled when the work fails after the deadline', async () => {
    const unhandled = await unhandledRejectionsDuring(async () => {
      let fail = (_reason: Error) => {}
      const work = new Promise<never>((_resolve, reject) => {
        fail = reject
      })
      await failureOf(() => withinDeadline(work, 1, tooLate))
      fail(new Error('late'))
    })
    expect(unhandled).to.deep.equal([])
  })
})

describe('withSignal', () => {
  it('aborts once the time is up, with a TimeoutError, and leaves it to the work how it ends', async () => {
    const reason = await withSignal(
      1,
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(signal.reason))
        }),
    )
    expect(reason).to.be.instanceOf(DOMException).with.property('name', 'TimeoutError')
  })

  it('never aborts once the work has ended, and leaves no timer behind, whether it gives or fails', async () => {
    const before = await runningTimers()
    const signals: AbortSignal[] = []
    const given = await withSignal(NEVER_REACHED_MS, async (signal) => {
      signals.push(signal)
      return 'done'
    })
    const broken = new Error('broken')
    const thrown = failureOf(() =>
      withSignal(NEVER_REACHED_MS, (signal) => {
        signals.push(signal)
        throw broken
      }),
    )
    expect([given, await thrown]).to.deep.equal(['done', broken])
    expect(await runningTimers()).to.equal(before)
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false])
  })

  it('has a timer while the work goes on', async () => {
    const before = await runningTimers()
    let finish = () => {}
    const work = withSignal(NEVER_REACHED_MS, () => new Promise<void>((resolve) => (finish = resolve)))
    expect(await runningTimers()).to.equal(before + 1)
    finish()
    await work
  })
})
