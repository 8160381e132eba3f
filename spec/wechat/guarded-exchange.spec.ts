import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type ErrorCode, WeappError } from '../../lib/errors.js'
import type { CodeExchange, Identity } from '../../lib/exchange.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { plainExchange } from '../support/plain-secrets.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const AMPLE_MS = 10_000
const SHORT_MS = 5
const APP = { appid: 'wx1', secret: 'CANARY-secret' }
const CODE = 'CANARY-code'
const IDENTITY = { openid: 'o1', sessionKey: 'CANARY-key', unionid: 'u1' }

const guarded = (exchange: CodeExchange, timeoutMs = AMPLE_MS): Promise<Identity> =>
  plainExchange(timeoutMs)(exchange, APP, CODE)

/** An exchange of somebody who does not mind types. */
const answering = (answer: unknown): CodeExchange => (async () => answer) as unknown as CodeExchange

describe('guardExchange', () => {
  it('passes on the identity, and nothing else of the answer', async () => {
    expect(await guarded(answering({ ...IDENTITY, role: 'admin' }))).to.deep.equal(IDENTITY)
  })

  it('takes an identity without unionid, and one that is no promise', async () => {
    const { unionid: _, ...short } = IDENTITY
    const identity = { ...short, unionid: undefined }
    for (const unionid of [undefined, null, '', 42])
      expect(await guarded(answering({ ...short, unionid }))).to.deep.equal(identity)
    expect(await guarded((() => short) as unknown as CodeExchange)).to.deep.equal(identity)
  })

  it('gives the exchange appid and secret of the app and no more, the code, and a signal', async () => {
    const seen: unknown[] = []
    const app = { ...APP, storeSecret: 'CANARY-store', exchange: answering(IDENTITY) }
    const exchange: CodeExchange = async (...how) => {
      seen.push(...how)
      return IDENTITY
    }
    await plainExchange(AMPLE_MS)(exchange, app, CODE)
    expect(seen).to.have.length(3)
    expect(seen.slice(0, 2)).to.deep.equal([APP, CODE])
    expect(seen[2]).to.be.instanceOf(AbortSignal).with.property('aborted', false)
  })

  it('cannot be made to change the app', async () => {
    const app = { ...APP }
    const exchange: CodeExchange = async (given) => {
      Object.assign(given, { secret: 'changed' })
      return IDENTITY
    }
    await plainExchange(AMPLE_MS)(exchange, app, CODE)
    expect(app).to.deep.equal(APP)
  })

  it('calls the exchange once, whatever comes of it', async () => {
    for (const code of ['ERR_WECHAT_BUSY', 'ERR_WECHAT_UNREACHABLE', 'ERR_CODE_INVALID'] as const) {
      let calls = 0
      await weappErrorOf(code, () =>
        guarded(async () => {
          calls += 1
          throw new WeappError(code, 'No.')
        }),
      )
      expect(calls).to.equal(1)
    }
  })

  it('passes on a WeappError as it is, thrown or rejected with', async () => {
    const refusal = new WeappError('ERR_CODE_INVALID', 'Call ding.login for a new code.', { hint: 'ours' })
    const thrown: CodeExchange = () => {
      throw refusal
    }
    expect(await failureOf(() => guarded(thrown))).to.equal(refusal)
    expect(await failureOf(() => guarded(() => Promise.reject(refusal)))).to.equal(refusal)
  })

  const outbursts: [string, CodeExchange][] = [
    [
      'throws an Error at once',
      () => {
        throw new Error(`${CODE} ${APP.secret}`)
      },
    ],
    ['rejects with an Error', () => Promise.reject(new Error(`${CODE} ${APP.secret}`))],
    ['rejects with a text', () => Promise.reject(`${CODE} ${APP.secret}`)],
    ['rejects with nothing', () => Promise.reject()],
    [
      'rejects with what looks like a WeappError',
      () => Promise.reject({ code: 'ERR_CODE_INVALID', status: 200 }),
    ],
    ['is no function', undefined as unknown as CodeExchange],
  ]
  for (const [what, exchange] of outbursts) {
    it(`says that there was no answer when the exchange ${what}, and repeats nothing of it`, async () => {
      const error = await weappErrorOf('ERR_WECHAT_NO_ANSWER', () => guarded(exchange))
      expect(error.status).to.equal(503)
      expect(error.hint).to.include('other than a WeappError')
      if (what.includes('an Error')) expect(error.hint).to.match(/: Error\n {4}at .*guarded-exchange\.spec/)
      expect(everythingIn(error)).to.not.include('CANARY')
    })
  }

  const nonsense: [string, unknown][] = [
    ['a text', 'CANARY-openid'],
    ['a number', 42],
    ['a list', [IDENTITY]],
    ['an empty object', {}],
    ['an empty openid', { ...IDENTITY, openid: '' }],
    ['an openid that is a number', { ...IDENTITY, openid: 42 }],
    ['no sessionKey', { openid: 'o1' }],
    ['an empty sessionKey', { ...IDENTITY, sessionKey: '' }],
    ['a session_key as WeChat spells it', { openid: 'o1', session_key: 'CANARY-key' }],
  ]
  for (const [what, answer] of nonsense) {
    it(`cannot use ${what}, and does not repeat it`, async () => {
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => guarded(answering(answer)))
      expect(error.status).to.equal(502)
      expect(everythingIn(error)).to.not.include('CANARY')
    })
  }

  it('ends in a WeappError when the exchange answers nothing at all', async () => {
    for (const answer of [undefined, null]) {
      const error = await failureOf(() => guarded(answering(answer)))
      expect(error).to.be.instanceOf(WeappError)
      expect(['ERR_WECHAT_ANSWER_INVALID', 'ERR_WECHAT_NO_ANSWER'] satisfies ErrorCode[]).to.include(
        (error as WeappError).code,
      )
    }
  })

  it('ends although the exchange never does and ignores its signal', async () => {
    const error = await weappErrorOf('ERR_WECHAT_NO_ANSWER', () =>
      guarded(() => new Promise(() => {}), SHORT_MS),
    )
    expect(error.hint).to.include('it took too long')
    expect(everythingIn(error)).to.not.include('CANARY')
  })

  it('aborts the signal, and leaves it to the exchange to say why it ends', async () => {
    const refusal = new WeappError('ERR_WECHAT_UNREACHABLE', 'Not there.')
    const heeding =
      (reason: (signal: AbortSignal) => unknown): CodeExchange =>
      (_app, _code, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(reason(signal)), { once: true })
        })
    expect(
      await failureOf(() =>
        guarded(
          heeding(() => refusal),
          SHORT_MS,
        ),
      ),
    ).to.equal(refusal)
    await weappErrorOf('ERR_WECHAT_NO_ANSWER', () =>
      guarded(
        heeding((signal) => signal.reason),
        SHORT_MS,
      ),
    )
  })

  it('leaves no promise without a handler when the exchange fails or answers too late', async () => {
    for (const outcome of [() => Promise.reject(new Error('late')), async () => IDENTITY]) {
      let endAtLast: () => void = () => expect.fail('the exchange was not called')
      const exchange: CodeExchange = () =>
        new Promise((resolve) => {
          endAtLast = () => resolve(outcome())
        })
      const reasons = await unhandledRejectionsDuring(async () => {
        await weappErrorOf('ERR_WECHAT_NO_ANSWER', () => guarded(exchange, SHORT_MS))
        endAtLast()
      })
      expect(reasons).to.deep.equal([])
    }
  })
})
