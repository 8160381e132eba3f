import { inspect } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { shownError, stackOf } from '../../lib/flows/thrown.js'

const SECRET = 'CANARY-tiihtNczf5v6AKRyjwEUhQ=='
const PHONE = '13800138000'

/** What HTTP clients throw: the error holds the request, with its tokens. */
function clientError(): Error {
  const config = { url: `https://a.example/?token=${SECRET}`, headers: { Authorization: `Bearer ${SECRET}` } }
  return Object.assign(new Error('Request failed with status code 401'), { name: 'AxiosError', config })
}

const hostile = {
  get name(): string {
    throw new Error(SECRET)
  },
}

const thrown: [string, unknown, RegExp][] = [
  ['a text', SECRET, /not an Error: string$/],
  ['nothing', undefined, /not an Error: undefined$/],
  ['null', null, /not an Error: null$/],
  ['a Response', new Response(SECRET, { headers: { token: SECRET } }), /an object of the class Response$/],
  ['a URL', new URL(`https://a.example/${SECRET}`), /an object of the class URL$/],
  ['an object without a prototype', Object.assign(Object.create(null), { SECRET }), /the class Object$/],
  ['the error of an HTTP client', clientError(), /^AxiosError: Request failed with status code 401\n {4}at /],
  ['an error whose message is a secret', new Error(SECRET), /^Error: …\n {4}at .*thrown\.spec/],
  ['an error that names a phone number', new Error(`no ${PHONE} here`), /^Error: no … here\n/],
  ['an address with a password', new Error(`redis://:${SECRET}@10.0.0.1 is down`), /^Error: … is down\n/],
  ['a query', new Error(`GET /x?secret=${SECRET}&a=b`), /^Error: GET …\n/],
  ['a message like a frame', new Error(`first\n    at ${SECRET}\n    at x`), /^Error: first\n {4}at …\n/],
  ['a cause', new Error('outer', { cause: new TypeError(`no ${SECRET}`) }), /caused by TypeError: no …\n/],
  ['a name that is none', Object.assign(new Error('x'), { name: SECRET }), /^Error: x\n/],
  [
    'a stack that was replaced',
    Object.assign(new Error('x y'), { stack: `    at ${SECRET}` }),
    /^Error: x y$/,
  ],
  [
    'an error that cannot be read',
    Object.defineProperties(new Error('x'), Object.getOwnPropertyDescriptors(hostile)),
    /cannot be read$/,
  ],
  [
    'a proxy that cannot be read',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error(SECRET)
        },
      },
    ),
    /cannot be read$/,
  ],
]

describe('what the application threw', () => {
  for (const [what, value, told] of thrown) {
    it(`is told without what it holds: ${what}`, () => {
      const seen = [stackOf(value), inspect(shownError(value), { showHidden: true, depth: Infinity })]
      expect(seen[0]).to.match(told)
      expect(seen.join('\n')).to.not.include('CANARY').and.not.include(PHONE)
    })
  }

  it('keeps the words and numbers by which a programmer finds the fault', () => {
    const error = new TypeError(
      "Cannot read properties of undefined (reading 'role') after 5000 ms, users.find",
    )
    expect(stackOf(error)).to.include(`TypeError: ${error.message}\n    at `)
  })

  it('comes to an end where errors are the cause of each other', () => {
    const [one, other] = [new Error('one'), new Error('other')]
    one.cause = other
    other.cause = one
    expect(stackOf(one).match(/caused by/g)).to.have.length(4)
  })
})
