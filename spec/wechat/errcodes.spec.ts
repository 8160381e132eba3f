import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import {
  errorFromErrcode as errorWithMeanings,
  LOGIN_MEANINGS,
  PHONE_MEANINGS,
  SESSION_KEY_MEANINGS,
} from '../../lib/wechat/errcodes.js'
import { everythingIn } from '../support/failures.js'

const errorFromErrcode = (errcode: number, errmsg: unknown) =>
  errorWithMeanings(errcode, errmsg, LOGIN_MEANINGS)

const RID = '62a1b2c3-0a1b2c3d-4e5f6a7b'

const MEANINGS: [number, ErrorCode, number][] = [
  [-1, 'ERR_WECHAT_BUSY', 503],
  [40029, 'ERR_CODE_INVALID', 401],
  [40163, 'ERR_CODE_INVALID', 401],
  [41008, 'ERR_CODE_INVALID', 401],
  [40226, 'ERR_USER_BLOCKED', 403],
  [45011, 'ERR_WECHAT_RATE_LIMITED', 429],
  [45009, 'ERR_WECHAT_QUOTA', 503],
  [40001, 'ERR_SERVER_MISCONFIGURED', 500],
  [42001, 'ERR_WECHAT_ANSWER_INVALID', 502],
  [40002, 'ERR_SERVER_MISCONFIGURED', 500],
  [40013, 'ERR_SERVER_MISCONFIGURED', 500],
  [40090, 'ERR_SERVER_MISCONFIGURED', 500],
  [40125, 'ERR_SERVER_MISCONFIGURED', 500],
  [40164, 'ERR_SERVER_MISCONFIGURED', 500],
  [40243, 'ERR_SERVER_MISCONFIGURED', 500],
  [41002, 'ERR_SERVER_MISCONFIGURED', 500],
  [41004, 'ERR_SERVER_MISCONFIGURED', 500],
  [48001, 'ERR_SERVER_MISCONFIGURED', 500],
  [50002, 'ERR_SERVER_MISCONFIGURED', 500],
  [50004, 'ERR_SERVER_MISCONFIGURED', 500],
  [50007, 'ERR_SERVER_MISCONFIGURED', 500],
  [61004, 'ERR_SERVER_MISCONFIGURED', 500],
  [89503, 'ERR_SERVER_MISCONFIGURED', 500],
  [89506, 'ERR_SERVER_MISCONFIGURED', 500],
  [89507, 'ERR_SERVER_MISCONFIGURED', 500],
  [99999, 'ERR_WECHAT_ANSWER_INVALID', 502],
  [-2, 'ERR_WECHAT_ANSWER_INVALID', 502],
  [1.5, 'ERR_WECHAT_ANSWER_INVALID', 502],
]

describe('errorFromErrcode', () => {
  for (const [errcode, code, status] of MEANINGS) {
    it(`takes ${errcode} for ${code}, status ${status}`, () => {
      const error = errorFromErrcode(errcode, undefined)
      expect(error).to.include({ code, status })
      expect(error.hint).to.match(new RegExp(`^WeChat returned errcode ${errcode}(,|$)`))
      expect(error.message).to.match(/\.$/).and.not.include(String(errcode))
    })
  }

  it('tells the operator alone what to mend', () => {
    const error = errorFromErrcode(40125, 'invalid appsecret')
    expect(error.hint).to.include('the AppSecret is wrong')
    expect(error.message).to.equal('The server is misconfigured. Its operator has been notified.')
  })

  it('has a hint of its own for each thing that an operator can mend', () => {
    const mendable = MEANINGS.filter(([, code]) => code === 'ERR_SERVER_MISCONFIGURED')
    const hints = mendable.map(([errcode]) => errorFromErrcode(errcode, undefined).hint?.split(', ')[1])
    expect(new Set(hints).size).to.equal(mendable.length)
    expect(hints).to.not.include(undefined)
  })

  it('keeps the rid of today, by which WeChat finds the call again', () => {
    expect(errorFromErrcode(40163, `code been used, rid: ${RID}`).hint).to.equal(
      `WeChat returned errcode 40163, rid ${RID}, saying: code been used,`,
    )
    expect(errorFromErrcode(40163, `code been used rid:${RID}`).hint).to.include(`rid ${RID}`)
  })

  it('makes do without one', () => {
    expect(errorFromErrcode(40163, 'code been used, hints: [ req_id: abc ]').hint).to.equal(
      'WeChat returned errcode 40163, saying: code been used, hints: req_id: abc',
    )
    for (const errmsg of [`rid: ${RID.slice(1)}`, '', undefined, null, 42, {}])
      expect(errorFromErrcode(40163, errmsg).hint).to.equal('WeChat returned errcode 40163')
  })

  it('keeps the address that is not whitelisted, with 40164 and no other errcode', () => {
    const errmsg = `invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist, rid: ${RID}`
    expect(errorFromErrcode(40164, errmsg).hint).to.match(/IP whitelist .*, address 203\.0\.113\.7$/)
    expect(errorFromErrcode(40164, 'invalid ip 2001:db8::7, not in whitelist').hint).to.match(
      /, address 2001:db8::7$/,
    )
    for (const [errcode] of MEANINGS.filter(([known]) => known !== 40164))
      expect(errorFromErrcode(errcode, errmsg).hint).to.not.include('203.0.113.7')
  })

  it('repeats the words of errmsg where it has none of its own, in one line', () => {
    const hint = (errcode: number, errmsg: string) => errorFromErrcode(errcode, errmsg).hint
    expect(hint(61010, `code is expired, rid: ${RID}`)).to.equal(
      `WeChat returned errcode 61010, rid ${RID}, saying: code is expired,`,
    )
    expect(hint(99999, '系统繁忙\r\nplease retry')).to.equal(
      'WeChat returned errcode 99999, saying: 系统繁忙 please retry',
    )
    expect(hint(40125, 'invalid appsecret, view more')).to.not.include('view more')
  })

  it('repeats nothing that may be a secret, a code or an address', () => {
    const secrets = [
      '0123456789abcdef0123456789abcdef',
      '0a3kFq000aX1bP1KXY20',
      'HyVFkGl5F5OQWJZZaNzBBg==',
      'AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN',
      '72_ajskdVfxhd-Zxxx',
      'oWvQ50H1l9Jz4cXy',
      'https://x/?secret=abc',
      'secret=abcdef',
      '203.0.113.7',
    ]
    for (const [errcode] of MEANINGS.filter(([known]) => known !== 40164)) {
      for (const secret of secrets) {
        for (const errmsg of [secret, `bad ${secret}, sorry`, `bad "${secret}"`, `(${secret})\n<b>`]) {
          const shown = everythingIn(errorFromErrcode(errcode, errmsg))
          expect(shown, `errcode ${errcode}`).to.not.include(secret).and.not.include('<b>')
        }
      }
    }
  })
})

describe('the errcodes of the server API', () => {
  for (const [what, meanings, errcode, code] of [
    ['a phone code', PHONE_MEANINGS, 40029, 'ERR_PHONE_CODE_INVALID'],
    ['a phone code of another app', PHONE_MEANINGS, 40013, 'ERR_PHONE_CODE_INVALID'],
    ['a session_key that is gone', SESSION_KEY_MEANINGS, 87007, 'ERR_SESSION_KEY_STALE'],
    ['a session_key that is another', SESSION_KEY_MEANINGS, 87009, 'ERR_SESSION_KEY_STALE'],
    ['an access token that is not the latest', PHONE_MEANINGS, 40001, 'ERR_ACCESS_TOKEN_UNAVAILABLE'],
  ] as const) {
    it(`tell of ${what} with ${errcode}`, () => {
      expect(errorWithMeanings(errcode, undefined, meanings).code).to.equal(code)
    })
  }
})
