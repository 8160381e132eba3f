import { expect } from 'chai'
import { describe, it } from 'mocha'
import { BackgroundWork } from '../../lib/sessions/once.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

/** Work that is ended from outside. */
function work() {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { end, ended }
}

describe('work in the background', () => {
  it('is waited for, also what begins while somebody waits', async () => {
    const background = new BackgroundWork()
    const [first, second] = [work(), work()]
    const events: string[] = []
    background.add(
      first.ended.then(() => {
        events.push('first')
        background.add(second.ended.then(() => events.push('second')))
      }),
    )
    const idle = background.idle().then(() => events.push('idle'))
    await new Promise(setImmediate)
    expect(events).to.deep.equal([])
    first.end()
    await new Promise(setImmediate)
    expect(events).to.deep.equal(['first'])
    second.end()
    await idle
    expect(events).to.deep.equal(['first', 'second', 'idle'])
  })

  it('may fail without anybody noticing', async () => {
    const background = new BackgroundWork()
    const unhandled = await unhandledRejectionsDuring(async () => {
      background.add(Promise.reject(new Error('it does not work')))
      await background.idle()
    })
    expect(unhandled).to.deep.equal([])
  })
})
