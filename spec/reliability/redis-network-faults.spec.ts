import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { until } from '../support/until.js'
import { openRedisFaultBed, type RedisFaultBed } from './redis-fault-bed.js'

const FAULT_MS = 1500
/** What is answered while Redis does not. */
const REFUSED = ['/me 503', '/login 503'] as const

describe('a network that fails under load, between an app server and its Redis', () => {
  let bed: RedisFaultBed

  before(async () => {
    bed = await openRedisFaultBed('recommended', { overPath: true })
  })
  after(() => bed.close())

  it('and is slow: sessions go on', async () => {
    const { answers } = await bed.during(
      async () => {
        bed.path.delay(150)
        await delay(FAULT_MS)
      },
      () => bed.path.delay(0),
    )
    expect(answers).to.include.keys('/me 200')
    expect(answers).to.not.include.keys('/me 503')
  })

  it('and is so slow that nothing comes in time: all is 503 until it is faster', async () => {
    const { answers } = await bed.during(
      async () => {
        bed.path.delay(1000)
        await delay(2 * FAULT_MS)
      },
      () => bed.path.delay(0),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and loses a connection without closing it: it is noticed, and replaced', async () => {
    await bed.during(async () => {
      bed.path.kill()
      await delay(FAULT_MS)
    })
  })

  it('and swallows everything: all is 503 until it carries again', async () => {
    const { answers } = await bed.during(
      async () => {
        bed.path.beginHole()
        await delay(2 * FAULT_MS)
      },
      () => bed.path.endHole(),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and carries each byte by itself: sessions go on', async () => {
    const { answers } = await bed.during(
      async () => {
        bed.path.crumble(true)
        await delay(FAULT_MS / 2)
      },
      () => bed.path.crumble(false),
      ['/login 200'],
    )
    expect(answers).to.include.keys('/me 200')
    expect(answers).to.not.include.keys('/me 503')
  })

  it('and breaks off in the middle of replies: the connection is replaced, and nobody gets half of one', async () => {
    await bed.during(async () => {
      for (let times = 0; times < 10; times += 1) {
        bed.path.breakOff()
        await delay(100)
      }
    })
  })

  it('and garbles what is on its way: the connection is replaced', async () => {
    await bed.during(async () => {
      for (let times = 0; times < 5; times += 1) {
        bed.path.sendGarbage()
        await delay(100)
      }
    })
  })
})

describe('a connection that is lost without being closed', () => {
  let beds: RedisFaultBed[]

  before(async () => {
    const clients = ['impatient', 'default', 'hasty'] as const
    beds = await Promise.all(clients.map((client) => openRedisFaultBed(client, { overPath: true })))
  })
  after(() => Promise.all(beds.map((bed) => bed.close())))

  it('is given up, whatever settings its client has, and all works again', async () => {
    const told = beds.map((bed) =>
      bed.during(async () => {
        bed.path.kill()
        await until(() => bed.load.works())
      }),
    )
    for (const { log } of await Promise.all(told))
      expect(log.join('\n')).to.match(/no answer within 1000 ms|Command timed out/)
  })
})
