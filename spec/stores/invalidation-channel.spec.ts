import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { InvalidationChannel } from '../../lib/stores/invalidation-channel.js'
import { testClock } from '../support/clock.js'
import { type HeldRedis, startHeldRedis } from '../support/held-redis.js'
import { sharedRedis } from '../support/shared-redis.js'
import { until } from '../support/until.js'

describe('InvalidationChannel', () => {
  const now = testClock()
  let way: HeldRedis
  let client: Redis
  let operator: Redis
  let events: string[]
  let channel: InvalidationChannel

  beforeEach(async () => {
    const { port, url } = await sharedRedis()
    way = await startHeldRedis(port)
    client = new Redis({ port: way.port })
    client.on('error', () => undefined)
    operator = new Redis(url)
    events = []
    channel = new InvalidationChannel({
      client,
      prefixes: ['mine:{'],
      onChange: (keys) => events.push(...(keys ?? ['all'])),
      onProof: () => events.push('proof'),
      onEnd: (reason) => events.push(`end: ${reason}`),
      now,
    })
  })
  afterEach(async () => {
    channel.end()
    client.disconnect()
    operator.disconnect()
    await way.close()
  })

  async function open(): Promise<void> {
    const identify = async () => void events.push('identified')
    await channel.open(identify, async () => void events.push('proven'))
    await until(() => events.includes('proof'))
  }

  it('is identified, then proven, and counts from the first answered PING', async () => {
    expect(channel.provenAt).to.equal(Number.NEGATIVE_INFINITY)
    const opened = open()
    expect(channel.provenAt).to.equal(Number.NEGATIVE_INFINITY)
    await opened
    expect(events).to.deep.equal(['identified', 'proven', 'proof'])
    expect(channel.provenAt).to.equal(now())
  })

  it('counts from the question, not from the answer', async () => {
    await open()
    now.advance(100)
    way.hold('channels')
    channel.beat()
    now.advance(500)
    way.release('channels')
    await until(() => events.filter((event) => event === 'proof').length === 2)
    expect(channel.provenAt).to.equal(now() - 500)
  })

  it('sends one PING at a time', async () => {
    await open()
    way.hold('channels')
    for (let n = 0; n < 3; n += 1) channel.beat()
    way.release('channels')
    const proofs = () => events.filter((event) => event === 'proof')
    await until(() => proofs().length > 1)
    // What is told now comes behind the answer to a further one.
    await operator.set('mine:{a}', '1')
    await until(() => events.includes('mine:{a}'))
    expect(proofs()).to.have.lengthOf(2)
  })

  it('ends when its connection is closed, without asking', async () => {
    await open()
    const list = String(await operator.client('LIST'))
    for (const [, id] of list.matchAll(/^id=(\d+) .* redir=\d/gm))
      await operator.client('KILL', 'ID', String(id))
    await until(() => events.some((event) => event.startsWith('end')))
    expect(channel.provenAt).to.equal(Number.NEGATIVE_INFINITY)
    channel.beat()
    channel.end()
    expect(events.filter((event) => event.startsWith('end'))).to.have.lengthOf(1)
  })

  it('ends where it is not proven', async () => {
    const refused = new Error('no proof')
    await channel.open(
      async () => undefined,
      async () => {
        throw refused
      },
    )
    expect(events).to.deep.equal(['end: Error: no proof'])
  })

  it('ends where it cannot connect, with the reason', async () => {
    await way.close()
    await channel.open(
      async () => undefined,
      async () => undefined,
    )
    expect(events).to.have.lengthOf(1)
    expect(events[0]).to.contain('ECONNREFUSED')
    way = await startHeldRedis(1)
  })
})
