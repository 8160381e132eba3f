import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ERROR_CODES, type ErrorCode, type ErrorKind, kindOf, WeappError } from '../lib/errors.js'

// Written out once more on purpose: clients switch on these, so a change has to be made twice.
const STATUSES: Record<ErrorCode, number> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: 503,
  ERR_APP_UNKNOWN: 400,
  ERR_BODY_INVALID: 400,
  ERR_BODY_TIMEOUT: 408,
  ERR_BODY_TOO_LARGE: 413,
  ERR_CODE_INVALID: 401,
  ERR_CODE_MOCK: 400,
  ERR_CONFIRMATION_LIMIT: 429,
  ERR_CONFIRMATION_REFUSED: 403,
  ERR_CONFIRMATION_REQUIRED: 403,
  ERR_DATA_MALFORMED: 400,
  ERR_DECRYPTION_LIMIT: 429,
  ERR_HOOK_FAILED: 500,
  ERR_LOGIN_LIMIT: 429,
  ERR_LOGIN_REFUSED: 403,
  ERR_LOGIN_TOO_OLD: 401,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_NOT_AUTHORIZED: 403,
  ERR_PHONE_CODE_INVALID: 401,
  ERR_PHONE_CODE_LIMIT: 429,
  ERR_REQUEST_INVALID: 400,
  ERR_SERVER_MISCONFIGURED: 500,
  ERR_SERVICE_KEYS_UNAVAILABLE: 503,
  ERR_SERVICE_TOKEN_INVALID: 401,
  ERR_SERVICE_TOKEN_MISSING: 401,
  ERR_SESSIONS_CLOSED: 503,
  ERR_SESSION_KEY_STALE: 409,
  ERR_SESSION_LIMIT: 409,
  ERR_SESSION_NOT_FOUND: 404,
  ERR_SESSION_UNKNOWN: 401,
  ERR_STORE_UNAVAILABLE: 503,
  ERR_TOKEN_MALFORMED: 401,
  ERR_TOKEN_MISSING: 401,
  ERR_USER_BLOCKED: 403,
  ERR_USER_CHANGED: 409,
  ERR_USER_INFO_REFUSED: 403,
  ERR_WECHAT_ANSWER_INVALID: 502,
  ERR_WECHAT_BUSY: 503,
  ERR_WECHAT_NO_ANSWER: 503,
  ERR_WECHAT_QUOTA: 503,
  ERR_WECHAT_RATE_LIMITED: 429,
  ERR_WECHAT_UNREACHABLE: 503,
}

const RETRY_AFTER: Partial<Record<ErrorCode, number>> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: 2,
  ERR_CONFIRMATION_LIMIT: 600,
  ERR_DECRYPTION_LIMIT: 600,
  ERR_LOGIN_LIMIT: 60,
  ERR_PHONE_CODE_LIMIT: 600,
  ERR_SERVICE_KEYS_UNAVAILABLE: 5,
  ERR_SESSIONS_CLOSED: 1,
  ERR_STORE_UNAVAILABLE: 1,
  ERR_WECHAT_BUSY: 2,
  ERR_WECHAT_NO_ANSWER: 2,
  ERR_WECHAT_QUOTA: 3600,
  ERR_WECHAT_RATE_LIMITED: 60,
  ERR_WECHAT_UNREACHABLE: 2,
}

const ASKS_LOGIN: readonly ErrorCode[] = [
  'ERR_LOGIN_TOO_OLD',
  'ERR_SESSION_UNKNOWN',
  'ERR_TOKEN_MALFORMED',
  'ERR_TOKEN_MISSING',
]

const CODE_STILL_GOOD: readonly ErrorCode[] = [
  'ERR_SERVER_MISCONFIGURED',
  'ERR_WECHAT_BUSY',
  'ERR_WECHAT_QUOTA',
  'ERR_WECHAT_RATE_LIMITED',
  'ERR_WECHAT_UNREACHABLE',
]

function codesWith(holds: (kind: ErrorKind) => unknown): ErrorCode[] {
  return ERROR_CODES.filter((code) => holds(kindOf(code)))
}

function errorsWithStatus(...statuses: number[]): WeappError[] {
  const errors = ERROR_CODES.map((code) => new WeappError(code, 'a message'))
  return errors.filter((error) => statuses.includes(error.status))
}

describe('ERROR_CODES', () => {
  it('lists every code once, in alphabetical order', () => {
    expect(ERROR_CODES).to.deep.equal(Object.keys(STATUSES).sort())
  })
})

describe('kindOf', () => {
  it('tells after how many seconds trying again makes sense', () => {
    const known = codesWith(({ retryAfterSeconds }) => retryAfterSeconds !== null)
    const seconds = known.map((code) => [code, kindOf(code).retryAfterSeconds])
    expect(Object.fromEntries(seconds)).to.deep.equal(RETRY_AFTER)
  })

  it('tells which errors ask the client to log in again, each of them a 401', () => {
    expect(codesWith(({ asksLogin }) => asksLogin)).to.deep.equal(ASKS_LOGIN)
    for (const code of ASKS_LOGIN) expect(kindOf(code).status).to.equal(401)
  })

  it('tells after which errors of its exchange a login code may be sent again', () => {
    expect(codesWith(({ codeStillGood }) => codeStillGood)).to.deep.equal(CODE_STILL_GOOD)
  })

  it('has a title for each code and no other code', () => {
    expect(new Set(ERROR_CODES.map((code) => kindOf(code).title)).size).to.equal(ERROR_CODES.length)
  })
})

describe('WeappError', () => {
  for (const [code, status] of Object.entries(STATUSES) as [ErrorCode, number][]) {
    it(`has status ${status} and a title for ${code}`, () => {
      const error = new WeappError(code, 'a message')
      expect(error).to.include({ code, status, statusCode: status })
      expect(error.title).to.match(/^[A-Za-z][\w ]{4,}$/)
    })
  }

  it('is an Error with a name and a stack of its own', () => {
    const error = new WeappError('ERR_TOKEN_MISSING', 'No token was sent.')
    expect(error).to.be.an.instanceOf(Error).with.property('name', 'WeappError')
    expect(error.stack).to.include('WeappError: No token was sent.').and.include('errors.spec.ts')
  })

  it('may be shown to a client, as far as its message goes', () => {
    expect(new WeappError('ERR_SESSION_UNKNOWN', 'The session has ended.')).to.include({
      expose: true,
      message: 'The session has ended.',
    })
  })

  it('asks for a Bearer token with each 401 and with nothing else', () => {
    for (const error of errorsWithStatus(401))
      expect(error.headers).to.deep.equal({ 'WWW-Authenticate': 'Bearer' })
    const asking = ERROR_CODES.filter(
      (code) => 'WWW-Authenticate' in new WeappError(code, 'a message').headers,
    )
    expect(asking).to.deep.equal(errorsWithStatus(401).map(({ code }) => code))
  })

  it('says when to come back with each 429 and 503 and with nothing else', () => {
    const timely = errorsWithStatus(429, 503)
    expect(timely).to.have.length(13)
    for (const { headers, retryAfterSeconds } of timely) {
      expect(retryAfterSeconds).to.be.a('number').above(0)
      expect(headers).to.deep.equal({ 'Retry-After': String(retryAfterSeconds) })
    }
    const returning = ERROR_CODES.filter((code) => 'Retry-After' in new WeappError(code, 'a message').headers)
    expect(returning).to.deep.equal(timely.map(({ code }) => code))
  })

  it('keeps its cause and its hint out of the message', () => {
    const cause = new Error('connect ECONNREFUSED redis://:hunter2@10.0.0.1')
    const error = new WeappError('ERR_STORE_UNAVAILABLE', 'Please try again.', { cause, hint: 'start Redis' })
    expect(error.cause).to.equal(cause)
    expect(error.hint).to.equal('start Redis')
    expect(error.message).to.equal('Please try again.')
    expect(JSON.stringify(error)).to.not.include('hunter2')
  })

  it('has neither a cause nor a hint unless it is given one', () => {
    const error = new WeappError('ERR_CODE_INVALID', 'Used.')
    expect(error).to.not.have.property('cause')
    expect(error.hint).to.equal(undefined)
  })
})
