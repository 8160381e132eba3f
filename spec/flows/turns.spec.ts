import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Turns } from '../../lib/flows/turns.js'
import { weappErrorOf } from '../support/failures.js'

const never = () => new Promise<never>(() => undefined)

describe('work in turns', () => {
  it('is done one after the other for one key, in the order in which it came', async () => {
    const turns = new Turns(1_000)
    const done: string[] = []
    const work = (name: string) => async () => {
      done.push(`${name} begins`)
      await new Promise(setImmediate)
      done.push(`${name} ends`)
      return name
    }
    const results = ['one', 'two', 'three'].map((name) => turns.inTurn('a key', work(name)))
    expect(await Promise.all(results)).to.deep.equal(['one', 'two', 'three'])
    expect(done).to.deep.equal(['one', 'two', 'three'].flatMap((name) => [`${name} begins`, `${name} ends`]))
  })

  it('does not wait for that of another key', async () => {
    const turns = new Turns(1_000)
    turns.inTurn('a key', never)
    expect(await turns.inTurn('another key', async () => 'done')).to.equal('done')
  })

  it('is done after work that has failed, whose failure is its own', async () => {
    const turns = new Turns(1_000)
    const failing = turns.inTurn('a key', async () => {
      throw new Error('failed')
    })
    const next = turns.inTurn('a key', async () => 'done')
    expect(await failing.catch((error: Error) => error.message)).to.equal('failed')
    expect(await next).to.equal('done')
  })

  it('is not begun while work before it goes on, though what stood between them was given up', async () => {
    const turns = new Turns(20)
    let end = () => {}
    const first = turns.inTurn('a key', () => new Promise<void>((resolve) => (end = resolve)))
    const done: string[] = []
    const later = ['second', 'third'].map((name) =>
      weappErrorOf('ERR_STORE_UNAVAILABLE', () => turns.inTurn('a key', async () => void done.push(name))),
    )
    await Promise.all(later)
    expect(done).to.deep.equal([])
    end()
    await first
    await turns.inTurn('a key', async () => void done.push('last'))
    expect(done).to.deep.equal(['last'])
  })

  it('does not wait for ever: it is given up, undone, when those before take too long', async () => {
    const turns = new Turns(1)
    turns.inTurn('a key', never)
    let isDone = false
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () =>
      turns.inTurn('a key', async () => {
        isDone = true
      }),
    )
    expect(isDone).to.equal(false)
  })
})
