import { expect } from 'chai'
import { describe, it } from 'mocha'
import { RandomPool } from '../lib/random-pool.js'

describe('a pool of random bytes', () => {
  it('gives as many as are asked for, and none of them twice', () => {
    const pool = new RandomPool()
    const taken = Array.from({ length: 2_000 }, (_, index) => pool.take(8 + (index % 57)))
    for (const [index, bytes] of taken.entries()) expect(bytes).to.have.length(8 + (index % 57))
    const beginnings = taken.map((bytes) => bytes.subarray(0, 8).toString('hex'))
    expect(new Set(beginnings).size).to.equal(2_000)
  })

  it('gives bytes that stay as they are when it is filled again', () => {
    const pool = new RandomPool()
    const [first] = [pool.take(16)]
    const before = first.toString('hex')
    for (let taken = 0; taken < 200; taken += 1) pool.take(16)
    expect(first.toString('hex')).to.equal(before)
  })

  it('gives all of its bytes, each as often as the others', () => {
    const pool = new RandomPool()
    const counts = new Array<number>(256).fill(0)
    for (let taken = 0; taken < 4_000; taken += 1)
      for (const byte of pool.take(32)) counts[byte] = (counts[byte] ?? 0) + 1
    // 500 on average, and hardly ever six standard deviations away from it.
    for (const count of counts) expect(count).to.be.within(365, 635)
  })
})
