import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ERROR_CODES, type ErrorCode, WeappError } from '../../lib/errors.js'
import { withRetries } from '../../lib/wechat/wechat-api.js'
import { failureOf } from '../support/failures.js'

const BUSY = 'ERR_WECHAT_BUSY'
const UNREACHABLE = 'ERR_WECHAT_UNREACHABLE'
const never = () => new AbortController().signal

/** An attempt that fails in these ways in turn, then answers how often it was made. */
function failing(...codes: ErrorCode[]) {
  const errors = codes.map((code) => new WeappError(code, 'No.'))
  const attempt = async () => {
    const error = errors[attempt.count]
    attempt.count += 1
    if (error) throw error
    return `attempt ${attempt.count}`
  }
  attempt.count = 0
  attempt.errors = errors
  return attempt
}

describe('withRetries', () => {
  it('makes one attempt when that one succeeds', async () => {
    expect(await withRetries(never(), failing())).to.equal('attempt 1')
  })

  const recoveries: [string, ErrorCode[]][] = [
    ['was busy once', [BUSY]],
    ['was busy twice', [BUSY, BUSY]],
    ['could not be reached once', [UNREACHABLE]],
    ['could not be reached, then was busy twice', [UNREACHABLE, BUSY, BUSY]],
    ['was busy, could not be reached, and was busy again', [BUSY, UNREACHABLE, BUSY]],
  ]
  for (const [what, codes] of recoveries) {
    it(`answers what comes after WeChat ${what}`, async () => {
      const attempt = failing(...codes)
      expect(await withRetries(never(), attempt)).to.equal(`attempt ${codes.length + 1}`)
    })
  }

  const defeats: [string, ErrorCode[]][] = [
    ['stays busy', [BUSY, BUSY, BUSY]],
    ['stays out of reach', [UNREACHABLE, UNREACHABLE]],
    ['is out of reach a second time after it was busy', [UNREACHABLE, BUSY, UNREACHABLE]],
    ['refuses the code once it is no longer busy', [BUSY, 'ERR_CODE_INVALID']],
    ['does not answer once it can be reached', [UNREACHABLE, 'ERR_WECHAT_NO_ANSWER']],
  ]
  for (const [what, codes] of defeats) {
    it(`gives up with the last error when WeChat ${what}`, async () => {
      const attempt = failing(...codes, 'ERR_CODE_INVALID')
      expect(await failureOf(() => withRetries(never(), attempt))).to.equal(attempt.errors[codes.length - 1])
      expect(attempt.count).to.equal(codes.length)
    })
  }

  for (const code of ERROR_CODES.filter((known) => known !== BUSY && known !== UNREACHABLE)) {
    it(`does not try again after ${code}`, async () => {
      const attempt = failing(code)
      expect(await failureOf(() => withRetries(never(), attempt))).to.equal(attempt.errors[0])
      expect(attempt.count).to.equal(1)
    })
  }

  it('does not try again after what is no WeappError, even one of the same code', async () => {
    for (const thrown of [new Error('a bug'), { code: BUSY }, undefined]) {
      let count = 0
      const attempt = () => {
        count += 1
        return Promise.reject(thrown)
      }
      expect(await failureOf(() => withRetries(never(), attempt))).to.equal(thrown)
      expect(count).to.equal(1)
    }
  })

  it('passes on what an attempt throws before it has a promise', async () => {
    const bug = new TypeError('a bug')
    const attempt = () => {
      throw bug
    }
    expect(await failureOf(() => withRetries(never(), attempt))).to.equal(bug)
  })

  for (const code of [BUSY, UNREACHABLE] as const) {
    it(`makes no further attempt after ${code} once the time is up`, async () => {
      const attempt = failing(code)
      const failure = await failureOf(() => withRetries(AbortSignal.abort(), attempt))
      expect(failure).to.equal(attempt.errors[0])
      expect(attempt.count).to.equal(1)
    })
  }

  it('throws what WeChat said, not that the time is up, when that happens in a pause', async () => {
    const controller = new AbortController()
    const attempt = failing(BUSY, BUSY)
    const work = withRetries(controller.signal, attempt)
    // Once the microtasks are done the first attempt has failed, and the pause lasts.
    setImmediate(() => controller.abort())
    expect(await failureOf(() => work)).to.equal(attempt.errors[0])
    expect(attempt.count).to.equal(1)
  })

  it('counts the attempts of each call on their own', async () => {
    const results = await Promise.all([1, 2, 3].map(() => withRetries(never(), failing(BUSY, BUSY))))
    expect(results).to.deep.equal(['attempt 3', 'attempt 3', 'attempt 3'])
  })
})
