import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { namesTwice, parseStrictObject } from '../lib/strict-json.js'

/** Texts that look like names, or like their ends, to whoever does not read JSON properly. */
const AWKWARD = ['a', ':', '":', '\\', '\\"', '\\":', '"a":1', '{"a":', '\\u0061', '\u0000', '\u2028', '你']
const text = fc.oneof(fc.constantFrom(...AWKWARD), fc.string())
const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }).map(withoutProto)
const fields = fc.dictionary(text, fc.oneof(value, text), { minKeys: 1 }).map(withoutProto)
const space = fc.constantFrom('', ' ', '\n', '\t\r ')

describe('strict JSON', () => {
  it('is read as JSON.parse reads it, where no field is named twice', () => {
    fc.assert(
      fc.property(fields, fc.constantFrom(0, 2), (object, indent) => {
        const json = JSON.stringify(object, undefined, indent)
        expect(parseStrictObject(json)).to.deep.equal(JSON.parse(json))
      }),
    )
  })

  it('is not an object that names a field twice, wherever it stands and however it is written', () => {
    fc.assert(
      fc.property(fields, text, space, fc.nat(3), (object, name, blank, depth) => {
        fc.pre(name !== '__proto__')
        const inner = JSON.stringify({ ...object, [name]: 0 }).slice(1)
        const twice = `{${blank}${asEscapes(name)}${blank}:${blank}{"":":"},${inner}`
        const json = `${'{"x":['.repeat(depth)}${twice}${']}'.repeat(depth)}`
        expect(JSON.parse(json)).to.be.an('object')
        expect(parseStrictObject(json)).to.equal(undefined)
      }),
    )
  })

  it('may have the same name in several objects, and names in its texts', () => {
    for (const json of ['{"a":{"a":1},"b":[{"a":2},{"a":3}]}', '{"a":"\\"a\\":1,\\\\","b":"a\\":"}']) {
      expect(parseStrictObject(json), json).to.deep.equal(JSON.parse(json))
    }
  })

  it('has no field __proto__, at any depth', () => {
    for (const name of ['"__proto__"', '"\\u005f_proto__"', '"__prot\\u006F__"']) {
      for (const json of [`{${name}:1}`, `{"a":[{${name}:{}}]}`]) {
        expect(parseStrictObject(json), json).to.equal(undefined)
      }
    }
    expect(parseStrictObject('{"a":"__proto__"}')).to.deep.equal({ a: '__proto__' })
  })

  it('is an object, and nothing else', () => {
    for (const json of ['', '[]', 'null', '1', '"a"', '{', '{"a":1}x', "{'a':1}"]) {
      expect(parseStrictObject(json), json).to.equal(undefined)
    }
  })

  it('is told from a doubled name also where it nests deeper than the call stack', () => {
    const deep = (inner: string) => `${'{"a":'.repeat(20_000)}${inner}${'}'.repeat(20_000)}`
    for (const [inner, isTwice] of [
      ['{"b":1}', false],
      ['{"b":1,"b":1}', true],
    ] as const) {
      const json = deep(inner)
      expect(namesTwice(json, JSON.parse(json))).to.equal(isTwice)
    }
  })
})

/** A name with each of its code units as an escape. */
function asEscapes(name: string): string {
  const units = Array.from({ length: name.length }, (_, at) => name.charCodeAt(at))
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`
}

function withoutProto<T>(given: T): T {
  return JSON.parse(JSON.stringify(given).replaceAll('__proto__', 'proto')) as T
}
