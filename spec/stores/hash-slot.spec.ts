import { expect } from 'chai'
import { describe, it } from 'mocha'
import { slotOf } from '../../lib/stores/hash-slot.js'
import { slotOf as slotByHand } from '../support/hash-slot.js'

describe('the hash slot of a key', () => {
  it('is that of the specification of Redis Cluster', () => {
    expect(slotOf('123456789')).to.equal(0x31c3)
    expect(slotOf('foo')).to.equal(12_182)
  })

  it('is that of what stands in braces, unless it is nothing', () => {
    expect(slotOf('weapp:{foo}')).to.equal(slotOf('foo'))
    expect(slotOf('{foo}{bar}')).to.equal(slotOf('foo'))
    expect(slotOf('a{}foo')).to.not.equal(slotOf('foo'))
  })

  it('is the one by which the tests place their keys', () => {
    for (let number = 0; number < 100; number += 1) {
      expect(slotOf(`weapp:{user-${number}}`)).to.equal(slotByHand(`weapp:{user-${number}}`))
    }
  })
})
