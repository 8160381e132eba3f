import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { failureOf } from '../support/failures.js'
import { until } from '../support/until.js'
import { openRedisFaultBed, type RedisFaultBed } from './redis-fault-bed.js'
import type { Answers } from './redis-load.js'

const FAULT_MS = 1500
/** What is answered while Redis does not. */
const REFUSED = ['/me 503', '/login 503'] as const
/** What is answered while nothing can be written. */
const READS_ONLY = ['/me 200', '/login 503'] as const
/** Loads a key in 5 ms, and replies meanwhile. */
const SLOW_LOADING = ['--key-load-delay', '5000', '--loading-process-events-interval-bytes', '1024']

describe('a Redis that fails under load', () => {
  let bed: RedisFaultBed

  before(async () => {
    bed = await openRedisFaultBed('recommended', { overPath: false })
  })
  after(() => bed.close())

  const fault = () => delay(FAULT_MS)
  /** A fault that lasts until the app server has told of it, which it does once a minute. */
  const logged = (line: RegExp) =>
    until(async () => (await bed.app.usage()).log.some((text) => line.test(text)))
  /** Has all but the operator connect anew. */
  const cutClients = () => bed.operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')

  it('and is killed: all is 503 until it has loaded its data again, and nothing acknowledged is lost', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.server.kill()
        await fault()
      },
      () => bed.server.restart(),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and is killed again and again', async () => {
    await bed.during(async () => {
      for (let turn = 0; turn < 4; turn += 1) {
        await delay(200)
        await bed.server.restart()
      }
    })
  })

  it('and loads its data for long: all is 503 until it has, and nothing acknowledged is lost', async () => {
    const { operator, server } = bed
    await operator.bgrewriteaof()
    await until(async () => (await operator.info('persistence')).includes('aof_rewrite_in_progress:0'))
    const { answers } = await bed.during(async () => {
      const ready = server.restart(SLOW_LOADING)
      await until(isLoading)
      await ready
    })
    expect(answers).to.include.keys('/me 503', '/login 503')
  })

  async function isLoading(): Promise<boolean> {
    const client = new Redis(bed.server.url, { enableReadyCheck: false, retryStrategy: () => null })
    client.on('error', () => undefined)
    const reply = await failureOf(() => client.get('key')).catch(() => undefined)
    client.disconnect()
    return String(reply).includes('LOADING')
  }

  it('and hangs: all is 503, at once after a while, until it goes on', async () => {
    const { answers } = await bed.during(
      async () => {
        bed.server.pause()
        await delay(2 * FAULT_MS)
      },
      () => bed.server.resume(),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
    // Each of 16 would have waited for a second.
    expect(answers['/me 503'] ?? 0).to.be.above(200)
  })

  it('and no longer knows the password of its client: all is 503 until it does', async () => {
    const { answers, log } = await bed.during(
      async () => {
        await bed.operator.config('SET', 'requirepass', 'another')
        await cutClients()
        await delay(2 * FAULT_MS)
      },
      async () => void (await bed.operator.config('SET', 'requirepass', '')),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
    // Each of 16 would have waited until a connection is tried again, 0.2 to 0.4 s.
    expect(answers['/me 503'] ?? 0).to.be.above(250)
    expect(log.join('\n')).to.include('ReplyError (NOAUTH in hello)')
  })

  it('and takes no more clients: all is 503 until it does', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.operator.config('SET', 'maxclients', '1')
        await cutClients()
        await fault()
      },
      async () => void (await bed.operator.config('SET', 'maxclients', '10000')),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and runs a long script of somebody else: all is 503 until it has ended', async () => {
    const somebody = new Redis(bed.server.url, { retryStrategy: () => null })
    const { answers } = await bed.during(
      async () => {
        await bed.operator.config('SET', 'busy-reply-threshold', '100')
        somebody.eval('while true do end', 0).catch(() => undefined)
        await logged(/ReplyError \(BUSY in EVALSHA\)/)
      },
      async () => void (await bed.operator.script('KILL')),
      REFUSED,
    )
    somebody.disconnect()
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and is paused for writes: all is 503 until it goes on, and nothing is done late', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.operator.call('CLIENT', 'PAUSE', '60000', 'WRITE')
        await delay(2 * FAULT_MS)
      },
      async () => void (await bed.operator.call('CLIENT', 'UNPAUSE')),
      REFUSED,
    )
    expect(answers).to.include.keys(...REFUSED)
  })

  it('and is full: sessions go on, and logins are 503', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.operator.config('SET', 'maxmemory', '1')
        await fault()
      },
      async () => void (await bed.operator.config('SET', 'maxmemory', '0')),
      READS_ONLY,
    )
    expectReadsOnly(answers)
  })

  it('and cannot write its snapshot: sessions go on, and logins are 503', async () => {
    const { operator } = bed
    const [, place = ''] = (await operator.config('GET', 'dir')) as string[]
    const snapshotFile = join(place, 'dump.rdb')
    const { answers, log } = await bed.during(
      async () => {
        await operator.config('SET', 'save', '3600 1000000')
        // No file can be given the name of a directory that is not empty.
        mkdirSync(join(snapshotFile, 'full'), { recursive: true })
        await snapshot('err')
        await fault()
      },
      async () => {
        rmSync(snapshotFile, { recursive: true })
        await snapshot('ok')
        await operator.config('SET', 'save', '')
      },
      READS_ONLY,
    )
    expectReadsOnly(answers)
    expect(log.join('\n')).to.include('ReplyError (MISCONF in EVALSHA)')
  })

  async function snapshot(outcome: 'ok' | 'err'): Promise<void> {
    await bed.operator.bgsave()
    await until(async () => {
      const state = await bed.operator.info('persistence')
      return state.includes('rdb_bgsave_in_progress:0') && state.includes(`rdb_last_bgsave_status:${outcome}`)
    })
  }

  it('and is read-only: sessions go on, and logins are 503', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.operator.replicaof('127.0.0.1', 1)
        await fault()
      },
      async () => void (await bed.operator.replicaof('NO', 'ONE')),
      READS_ONLY,
    )
    expectReadsOnly(answers)
  })

  it('and forgets its scripts: nobody notices', async () => {
    const { answers, log } = await bed.during(async () => {
      for (let times = 0; times < 20; times += 1) {
        await bed.operator.script('FLUSH')
        await delay(20)
      }
    })
    expect(Object.keys(answers).filter((kind) => kind.endsWith('503'))).to.deep.equal([])
    expect(log.filter((line) => line.includes('fails'))).to.deep.equal([])
  })

  it('and forbids scripts: nobody is logged out, and logins are 503', async () => {
    const { answers } = await bed.during(
      async () => {
        await bed.operator.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha')
        await fault()
      },
      async () => void (await bed.operator.call('ACL', 'SETUSER', 'default', '+@all')),
      ['/login 503'],
    )
    expect(answers).to.include.keys('/login 503')
  })
})

/** What was on its way when the fault began may have been refused as well. */
function expectReadsOnly(answers: Answers): void {
  expect(answers).to.include.keys(...READS_ONLY)
  expect(answers['/me 200'] ?? 0).to.be.above(10 * (answers['/me 503'] ?? 0))
}
