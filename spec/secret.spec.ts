import { format, inspect } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { revealed, Secret } from '../lib/secret.js'

const TEXT = 'CANARY-tiihtNczf5v6AKRyjwEUhQ=='
const secret = new Secret(TEXT)

/** A secret as it may stand in whatever is printed. */
class Holder {
  readonly secret = secret
  readonly deep = { deeper: { deepest: { list: [secret], map: new Map([['key', secret]]) } } }
}

const printed: [string, () => string, expected?: string][] = [
  ['util.inspect', () => inspect(secret)],
  ['util.inspect that shows what is hidden', () => inspect(secret, { showHidden: true, depth: Infinity })],
  ['util.inspect of what holds it', () => inspect(new Holder(), { showHidden: true, depth: Infinity })],
  ['util.inspect without the methods of classes', () => inspect(secret, { customInspect: false }), 'Secret'],
  ['console.log', () => format('%s %o %O %j', secret, secret, secret, secret)],
  ['JSON.stringify', () => JSON.stringify(new Holder().deep.deeper.deepest.list)],
  ['String', () => String(secret)],
  ['a template', () => `${secret}`],
  ['a sum of texts', () => `a ${[secret].join()}`],
  ['the names of its fields', () => `[redacted]${Reflect.ownKeys(secret).join()}`],
  ['an error', () => inspect(Object.assign(new Error(`${secret}`, { cause: secret }), { secret }))],
  ['a copy', () => inspect({ ...secret, copy: secret })],
]

describe('a secret', () => {
  for (const [what, print, expected = '[redacted]'] of printed) {
    it(`does not show in ${what}`, () => {
      expect(print()).to.include(expected).and.not.include('CANARY')
    })
  }

  it('gives its text to who asks for it by name', () => {
    expect(secret.reveal()).to.equal(TEXT)
  })

  it('equals the same text and no other, whatever the lengths', () => {
    for (const same of [TEXT, new Secret(TEXT)]) expect(secret.equals(same)).to.equal(true)
    for (const other of ['', TEXT.slice(1), `${TEXT}=`, TEXT.toLowerCase(), '[redacted]']) {
      expect(secret.equals(other)).to.equal(false)
      expect(secret.equals(new Secret(other))).to.equal(false)
    }
  })

  it('has its text in what leaves the process, and in no other way', () => {
    const body = { appid: 'wx1', secret, count: 1 }
    expect(JSON.stringify(revealed(body))).to.equal(`{"appid":"wx1","secret":"${TEXT}","count":1}`)
    expect(JSON.stringify(body)).to.equal('{"appid":"wx1","secret":"[redacted]","count":1}')
  })
})
