import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { isJsonObject, type JsonObject } from '../../lib/json-object.js'
import { LOGIN_MEANINGS, type Meanings, PHONE_MEANINGS } from '../../lib/wechat/errcodes.js'
import { isText, parseResponse, refusalIn, WECHAT_DIALECT } from '../../lib/wechat/response.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'

const CANARY = 'CANARY-0f9e'

const NO_OBJECTS: [string, string][] = [
  ['nothing', ''],
  ['blanks', '  \r\n'],
  ['a page', `<html><body>${CANARY}</body></html>`],
  ['half an object', `{"openid":"${CANARY}"`],
  ['two objects', `{}{"openid":"${CANARY}"}`],
  ['a byte order mark', `\ufeff{"openid":"${CANARY}"}`],
  ['null', 'null'],
  ['a number', '40029'],
  ['a text', `"${CANARY}"`],
  ['true', 'true'],
  ['a list', `[{"openid":"${CANARY}"}]`],
]

describe('parseResponse', () => {
  it('answers the fields of an object, whatever they tell', () => {
    expect(parseResponse('{}')).to.deep.equal({})
    expect(parseResponse(' {"errcode":40029,"data":[1]}\n')).to.deep.equal({ errcode: 40029, data: [1] })
  })

  for (const [what, body] of NO_OBJECTS) {
    it(`refuses ${what}, and does not repeat it`, async () => {
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => parseResponse(body))
      expect(error.status).to.equal(502)
      expect(error.hint).to.match(/^WeChat returned a response that is not (JSON|an object)$/)
      expect(everythingIn(error)).to.not.include(CANARY)
    })
  }

  it('gives nobody a prototype', () => {
    const response = parseResponse('{"__proto__":{"openid":"o1"}}')
    expect(response.openid).to.equal(undefined)
    expect(({} as Record<string, unknown>).openid).to.equal(undefined)
  })
})

describe('the errcode of a response', () => {
  function readResponse(body: string, meanings: Meanings): JsonObject {
    const fields = parseResponse(body)
    const refusal = refusalIn(fields, meanings, WECHAT_DIALECT)
    if (refusal) throw refusal
    return fields
  }

  it('returns all fields where errcode is 0 or absent', () => {
    for (const response of [
      {},
      { errcode: 0 },
      { errcode: '0' },
      { errcode: 0, errmsg: 'ok', openid: 'o1' },
      { openid: 'o1' },
    ])
      expect(readResponse(JSON.stringify(response), LOGIN_MEANINGS)).to.deep.equal(response)
  })

  it('reads a response with control characters in its texts as they are', () => {
    expect(readResponse('{"errcode":0,"errmsg":"ok\x01\n"}', LOGIN_MEANINGS)).to.include({ errcode: 0 })
  })

  it('throws what an errcode means to the API that was asked', async () => {
    const errmsg = `invalid code ${CANARY}`
    for (const [code, meanings] of [
      ['ERR_CODE_INVALID', LOGIN_MEANINGS],
      ['ERR_PHONE_CODE_INVALID', PHONE_MEANINGS],
      ['ERR_WECHAT_ANSWER_INVALID', {}],
    ] as const) {
      for (const errcode of [40029, '40029']) {
        const error = await weappErrorOf(code, () =>
          readResponse(JSON.stringify({ errcode, errmsg }), meanings),
        )
        expect(everythingIn(error)).to.not.include(CANARY)
      }
    }
    const busy = JSON.stringify({ errcode: '-1', errmsg: 'busy' })
    await weappErrorOf('ERR_WECHAT_BUSY', () => readResponse(busy, LOGIN_MEANINGS))
  })

  it('throws even where the fields of a success are there too', async () => {
    const body = JSON.stringify({ errcode: 40163, openid: CANARY, session_key: CANARY })
    const error = await weappErrorOf('ERR_CODE_INVALID', () => readResponse(body, LOGIN_MEANINGS))
    expect(everythingIn(error)).to.not.include(CANARY)
  })

  for (const errcode of ['', 'ok', '0x0', ' ', '1e3', null, true, false, [0], {}]) {
    it(`refuses the errcode ${JSON.stringify(errcode)}`, async () => {
      const body = JSON.stringify({ errcode, openid: 'o1' })
      await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => readResponse(body, LOGIN_MEANINGS))
    })
  }

  it('answers fields or throws a WeappError, whatever was sent', () => {
    const body = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.record({ errcode: fc.jsonValue(), errmsg: fc.jsonValue() }).map((answer) => JSON.stringify(answer)),
      fc.record({ errcode: fc.double(), errmsg: fc.string() }).map((answer) => JSON.stringify(answer)),
    )
    fc.assert(
      fc.property(body, (text) => {
        try {
          expect(isJsonObject(readResponse(text, LOGIN_MEANINGS))).to.equal(true)
        } catch (error) {
          if (!(error instanceof WeappError)) throw error
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('isText', () => {
  it('is true of texts that are not empty', () => {
    for (const value of ['0', ' ', 'o1']) expect(isText(value)).to.equal(true)
    for (const value of [undefined, null, '', 0, 42, ['o1'], { length: 1 }])
      expect(isText(value)).to.equal(false)
  })
})
