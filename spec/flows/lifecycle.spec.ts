import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Lifecycle } from '../../lib/flows/lifecycle.js'
import { BackgroundWork } from '../../lib/sessions/once.js'

const LONG_MS = 60_000

describe('a lifecycle', () => {
  const order: string[] = []
  const background = new BackgroundWork()

  function begin({ patienceMs = LONG_MS } = {}) {
    order.length = 0
    return new Lifecycle({
      works: [background],
      patienceMs,
      release: async () => void order.push('released'),
      logger: { warn: (line) => void order.push(line), error: () => undefined },
    })
  }

  function held(name: string) {
    let letGo = (): void => undefined
    const done = new Promise<void>((resolve) => {
      letGo = () => {
        order.push(name)
        resolve()
      }
    })
    return { done, letGo }
  }

  /** Lets everything run that waits for nothing. */
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  it('closes at once where nothing is under way', async () => {
    await begin().close()
    expect(order).to.deep.equal(['released'])
  })

  it('waits for calls under way, for what they began, and for a call that this makes', async () => {
    const lifecycle = begin()
    const [call, write, later] = [held('call'), held('write'), held('later')]
    const called = lifecycle.run(async () => {
      await call.done
      background.add(write.done.then(() => void lifecycle.run(() => later.done)))
    })
    const closed = lifecycle.close()
    for (const { letGo } of [call, write, later]) {
      await settled()
      letGo()
    }
    await Promise.all([called, closed])
    expect(order).to.deep.equal(['call', 'write', 'later', 'released'])
  })

  it('serves calls while it is closing, and waits for them as well', async () => {
    const lifecycle = begin()
    const [first, second] = [held('first'), held('second')]
    void lifecycle.run(() => first.done)
    const closed = lifecycle.close()
    const served = lifecycle.run(async () => {
      await second.done
      return 'served'
    })
    first.letGo()
    await settled()
    second.letGo()
    expect(await served).to.equal('served')
    await closed
    expect(order).to.deep.equal(['first', 'second', 'released'])
  })

  it('tells all who wait for it to be idle', async () => {
    const lifecycle = begin()
    const call = held('call')
    const called = lifecycle.run(() => call.done)
    const waiting = [lifecycle.idle(), lifecycle.idle()]
    call.letGo()
    await Promise.all([called, ...waiting])
    expect(order).to.deep.equal(['call'])
  })

  it('waits for a call that fails, and hands its error on', async () => {
    const lifecycle = begin()
    const call = held('call')
    const failed = lifecycle.run(async () => {
      await call.done
      throw new RangeError('a failure')
    })
    const closed = lifecycle.close()
    call.letGo()
    const error = await failed.catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(RangeError)
    await closed
  })

  it('refuses every call once it is closed, without making it', async () => {
    const lifecycle = begin()
    await lifecycle.close()
    const error = await lifecycle.run(async () => void order.push('made')).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'ERR_SESSIONS_CLOSED', status: 503 })
    expect(order).to.deep.equal(['released'])
  })

  it('tells the log when its patience ends, and closes all the same', async () => {
    const lifecycle = begin({ patienceMs: 1 })
    void lifecycle.run(() => new Promise(() => undefined))
    await lifecycle.close()
    expect(order).to.deep.equal([
      'sessions were closed after 1 ms, though not all had ended; calls under way: 1',
      'released',
    ])
  })

  it('closes once, however often it is told to', async () => {
    const lifecycle = begin()
    const closed = lifecycle.close()
    expect(lifecycle.close()).to.equal(closed)
    await closed
    expect(lifecycle.close()).to.equal(closed)
    expect(order).to.deep.equal(['released'])
  })

  it('announces its end while a server ends, and closes only after all such servers', async () => {
    const lifecycle = begin()
    const [first, second] = [held('first'), held('second')]
    const ending = [first, second].map(({ done }) => lifecycle.whileEnding(() => done))
    expect(lifecycle.isClosing).to.equal(true)
    const closed = lifecycle.close()
    for (const { letGo } of [first, second]) {
      await settled()
      expect(await lifecycle.run(async () => 'served')).to.equal('served')
      letGo()
    }
    await Promise.all([...ending, closed])
    expect(order).to.deep.equal(['first', 'second', 'released'])
  })

  it('closes after a server whose end fails, and hands the failure to the one who ended it', async () => {
    const lifecycle = begin()
    const error = await lifecycle
      .whileEnding(() => Promise.reject(new RangeError('a failure')))
      .catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(RangeError)
    await lifecycle.close()
    expect(order).to.deep.equal(['released'])
  })
})
