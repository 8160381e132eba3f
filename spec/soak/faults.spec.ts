import { expect } from 'chai'
import { describe, it } from 'mocha'
import { FAULTS, FaultDeck } from './faults.js'
import { Random } from './random.js'

describe('the faults of the soak', () => {
  it('begin with a kill of Redis, and come once each before any comes again', () => {
    const kinds = FAULTS.map(({ kind }) => kind)
    for (let seed = 1; seed <= 20; seed += 1) {
      const deck = new FaultDeck(new Random(seed))
      for (let round = 0; round < 2; round += 1) {
        const dealt = FAULTS.map(() => deck.next().kind)
        expect(dealt[0]).to.equal('Redis killed')
        expect(dealt).to.have.members(kinds)
      }
    }
  })
})
