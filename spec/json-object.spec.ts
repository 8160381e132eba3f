import { expect } from 'chai'
import { describe, it } from 'mocha'
import { isJsonObject } from '../lib/json-object.js'

describe('isJsonObject', () => {
  it('is true of objects alone', () => {
    for (const value of [{}, { openid: 'o1' }, Object.create(null)])
      expect(isJsonObject(value)).to.equal(true)
    for (const value of [undefined, null, [], 'text', 42, true, () => ({})])
      expect(isJsonObject(value)).to.equal(false)
  })
})
