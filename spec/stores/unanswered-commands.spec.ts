import { expect } from 'chai'
import { describe, it } from 'mocha'
import { StoreFailure } from '../../lib/index.js'
import { isOutage } from '../../lib/sessions/store-outage.js'
import { type UnansweredCommand, UnansweredCommands } from '../../lib/stores/unanswered-commands.js'
import { failureOf } from '../support/failures.js'

const LONG_SECONDS = 60
const MOST = 10_000

describe('the commands without a reply', () => {
  const reason = new Error('Connection is closed.')

  function begin() {
    const stopped: string[] = []
    const commands = new UnansweredCommands({ patienceSeconds: LONG_SECONDS, giveUp: () => undefined })
    const add = (name: string, isSent = true): UnansweredCommand => {
      const stop = () => {
        stopped.push(name)
        commands.failed(command, false)
      }
      const command = { isSent, stop }
      commands.add(command)
      return command
    }
    return { commands, add, stopped }
  }

  it('are none at first, and none again when each has been answered or has failed', () => {
    const { commands, add } = begin()
    expect(commands.areNone).to.equal(true)
    const [one, other] = [add('one'), add('other')]
    commands.answered(one)
    expect(commands.areNone).to.equal(false)
    commands.failed(other, true)
    expect(commands.areNone).to.equal(true)
  })

  it('are 10,000 at most, and one more is an outage until one of them is answered', async () => {
    const { commands, add } = begin()
    const [first] = Array.from({ length: MOST }, (_, number) => add(`command ${number}`))
    const failure = await failureOf(() => add('one more'))
    expect(failure).to.be.instanceOf(StoreFailure)
    expect(isOutage(failure)).to.equal(true)
    commands.answered(first as UnansweredCommand)
    add('one more')
  })

  it('are all stopped in the order in which they came, though each leaves while they are', () => {
    const { commands, add, stopped } = begin()
    for (const name of ['a', 'b', 'c']) add(name, name !== 'b')
    commands.stop(reason)
    expect(stopped).to.deep.equal(['a', 'b', 'c'])
    expect(commands.areNone).to.equal(true)
  })

  it('are stopped only where they were sent, if the others will still be', () => {
    const { commands, add, stopped } = begin()
    for (const name of ['a', 'b', 'c']) add(name, name !== 'b')
    commands.stop(reason, { onlySent: true })
    expect(stopped).to.deep.equal(['a', 'c'])
    expect(commands.areNone).to.equal(false)
    commands.sent()
    commands.stop(reason, { onlySent: true })
    expect(stopped).to.deep.equal(['a', 'c', 'b'])
    expect(commands.areNone).to.equal(true)
  })
})
