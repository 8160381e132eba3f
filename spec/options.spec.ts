import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  booleanOption,
  checkOptionNames,
  objectWithMethods,
  oneOf,
  optionalFunction,
  positiveInteger,
  positiveNumber,
  textOption,
  wholeNumber,
} from '../lib/options.js'

interface Garden {
  roses: number
  tulips?: number
}

const GARDEN = { roses: true, tulips: true } as const
const SECRET = 'hunter2hunter2hunter2'

describe('checkOptionNames', () => {
  const check = (given: unknown) => () => checkOptionNames<Garden>('plant', given, GARDEN)

  it('takes the options there are, and none at all', () => {
    expect(check({ roses: 1, tulips: undefined })).to.not.throw()
    expect(check({})).to.not.throw()
  })

  it('names the unknown option and all that are known', () => {
    expect(check({ rose: 1 })).to.throw(TypeError, 'plant: unknown option "rose"; known: roses, tulips')
  })

  it('does not take names that every object inherits for known ones', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      expect(check({ [name]: 1 })).to.throw(TypeError, `unknown option "${name}"`)
    expect(check(JSON.parse('{"__proto__": 1}'))).to.throw(TypeError, 'unknown option "__proto__"')
  })

  const noObjects: [string, unknown][] = [
    ['null', null],
    ['undefined', undefined],
    ['an array', []],
    ['a string of 21 characters', SECRET],
    ['7', 7],
    ['a function', () => ({})],
  ]
  for (const [described, value] of noObjects) {
    it(`refuses ${described}`, () => {
      expect(check(value)).to.throw(TypeError, `plant: the options must be an object, not ${described}`)
    })
  }
})

describe('positiveNumber', () => {
  it('answers what it is given, fractions and both ends of the range included', () => {
    for (const value of [Number.MIN_VALUE, 0.02, 1, 9.99, 10])
      expect(positiveNumber('days', value, 10)).to.equal(value)
    expect(positiveNumber('days', Number.MAX_SAFE_INTEGER)).to.equal(Number.MAX_SAFE_INTEGER)
  })

  for (const value of [0, -0, -1, Number.NaN, 10.01, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`refuses ${Object.is(value, -0) ? '-0' : value}`, () => {
      expect(() => positiveNumber('days', value, 10)).to.throw(
        TypeError,
        `days must be a positive number up to 10, not ${value}`,
      )
    })
  }

  it('refuses numbers in disguise', () => {
    for (const value of ['5', 5n, [5], new Number(5), null, true])
      expect(() => positiveNumber('days', value, 10)).to.throw(TypeError, /^days must be a positive number/)
  })
})

describe('wholeNumber', () => {
  it('answers what it is given, both ends of the range included, and refuses all else', () => {
    for (const value of [0, 1, 10]) expect(wholeNumber('id', value, 10)).to.equal(value)
    for (const value of [-1, 11, 0.5, Number.NaN, '1', null, undefined]) {
      expect(() => wholeNumber('id', value, 10)).to.throw(
        TypeError,
        'id must be an integer from 0 to 10, not',
      )
    }
  })
})

describe('positiveInteger', () => {
  it('answers what it is given, both ends of the range included', () => {
    for (const value of [1, 2, 10]) expect(positiveInteger('id', value, 10)).to.equal(value)
  })

  for (const value of [0, -1, 1.5, 11, Number.NaN, Number.POSITIVE_INFINITY, '1']) {
    it(`refuses ${JSON.stringify(value) ?? value} (${typeof value})`, () => {
      expect(() => positiveInteger('id', value, 10)).to.throw(
        TypeError,
        /^id must be an integer from 1 to 10, not /,
      )
    })
  }
})

describe('textOption', () => {
  it('answers a text that is long enough', () => {
    expect(textOption('secret', 'a')).to.equal('a')
    expect(textOption('secret', 'abc', 3)).to.equal('abc')
  })

  it('says what is allowed, and of the text only how long it is', () => {
    expect(() => textOption('secret', '')).to.throw(
      TypeError,
      'secret must be a non-empty string, not an empty string',
    )
    expect(() => textOption('secret', SECRET, 32)).to.throw(
      TypeError,
      'secret must be a string of at least 32 characters, not a string of 21 characters',
    )
    expect(() => textOption('secret', 42)).to.throw(TypeError, 'not 42')
  })
})

describe('oneOf', () => {
  it('answers one of the words', () => {
    expect(oneOf('onLimit', 'refuse', ['end-oldest', 'refuse'])).to.equal('refuse')
  })

  it('lists the words otherwise', () => {
    expect(() => oneOf('onLimit', 'Refuse', ['end-oldest', 'refuse'])).to.throw(
      TypeError,
      "onLimit must be one of 'end-oldest', 'refuse', not a string of 6 characters",
    )
  })
})

describe('booleanOption', () => {
  it('answers true and false, and refuses what only looks like them', () => {
    expect([booleanOption('optional', true), booleanOption('optional', false)]).to.deep.equal([true, false])
    for (const value of [undefined, null, 0, 'false'])
      expect(() => booleanOption('optional', value)).to.throw(
        TypeError,
        /^optional must be true or false, not /,
      )
  })
})

describe('optionalFunction', () => {
  it('answers a function or nothing, and refuses null and all else', () => {
    const clock = () => 0
    expect(optionalFunction('clock', clock)).to.equal(clock)
    expect(optionalFunction('clock', undefined)).to.equal(undefined)
    for (const value of [null, 0, {}])
      expect(() => optionalFunction('clock', value)).to.throw(TypeError, /^clock must be a function, not /)
  })
})

describe('objectWithMethods', () => {
  it('answers the object when it has all methods, inherited ones too', () => {
    const map = new Map()
    expect(objectWithMethods('store', map, ['get', 'set'], 'a Map')).to.equal(map)
  })

  it('names the first method that is missing', () => {
    expect(() => objectWithMethods('store', new Set(), ['has', 'get', 'set'], 'a Map')).to.throw(
      TypeError,
      'store must be a Map; it has no method "get"',
    )
    for (const value of [null, undefined, SECRET, { get: 1 }])
      expect(() => objectWithMethods('store', value, ['get'], 'a Map')).to.throw(
        TypeError,
        /^store must be a Map/,
      )
  })
})

describe('every check of an option', () => {
  const checks: ((value: unknown) => unknown)[] = [
    (value) => checkOptionNames<Garden>('here', value, GARDEN),
    (value) => positiveNumber('here', value),
    (value) => positiveInteger('here', value),
    (value) => textOption('here', value, 1_000),
    (value) => oneOf('here', value, ['a word']),
    (value) => booleanOption('here', value),
    (value) => optionalFunction('here', value),
    (value) => objectWithMethods('here', value, ['read'], 'a store'),
  ]

  it('refuses a text with a TypeError that names the option and does not show the text', () => {
    // No sentence of these checks has a word of upper-case letters and digits in it.
    const secret = fc.stringMatching(/^[A-Z]{2}[A-Z0-9]{6,40}$/)
    fc.assert(
      fc.property(secret, fc.constantFrom(...checks), (text, check) => {
        expect(() => check(text))
          .to.throw(TypeError, /^here\b/)
          .with.property('message')
          .that.does.not.include(text)
      }),
    )
  })
})
