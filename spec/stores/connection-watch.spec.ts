import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ConnectionWatch } from '../../lib/stores/connection-watch.js'

const PATIENCE_SECONDS = 3

describe('the watch over a connection', () => {
  /** A connection that is looked at once for each state, and what is looked at when it is given up. */
  function givenUpAt(looks: readonly { waiting: object | undefined; received: number }[]): number[] {
    let [now, at] = [looks[0], 0]
    const given: number[] = []
    const watch = new ConnectionWatch(
      {
        oldestWaiting: () => now?.waiting,
        received: () => now?.received ?? 0,
        giveUp: () => void given.push(at),
      },
      PATIENCE_SECONDS,
    )
    for (const [index, look] of looks.entries()) {
      ;[now, at] = [look, index]
      watch.look()
    }
    return given
  }
  const command = {}
  const silent = (seconds: number) =>
    Array.from({ length: seconds }, () => ({ waiting: command as object | undefined, received: 7 }))

  it('gives it up when the same command has waited for its patience, and nothing came', () => {
    expect(givenUpAt(silent(3))).to.deep.equal([])
    expect(givenUpAt(silent(4))).to.deep.equal([3])
  })

  it('gives the next one up 5 seconds later at the earliest', () => {
    expect(givenUpAt(silent(20))).to.deep.equal([3, 8, 13, 18])
  })

  it('leaves one that answers, however many commands wait', () => {
    expect(givenUpAt(silent(60).map((look) => ({ ...look, waiting: {} })))).to.deep.equal([])
  })

  it('leaves one on which something comes, however long the command waits', () => {
    expect(givenUpAt(silent(60).map((look, at) => ({ ...look, received: at })))).to.deep.equal([])
  })

  it('leaves one that nobody waits for', () => {
    expect(givenUpAt(silent(60).map((look) => ({ ...look, waiting: undefined })))).to.deep.equal([])
  })

  it('counts from anew after a sign of life', () => {
    const life = [{ waiting: command, received: 8 }]
    expect(givenUpAt([...silent(3), ...life, ...silent(3)])).to.deep.equal([])
    expect(givenUpAt([...silent(3), ...life, ...silent(4)])).to.deep.equal([7])
  })
})
