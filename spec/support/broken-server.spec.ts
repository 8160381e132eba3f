import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { type BrokenServer, startGarbageServer, startHangingServer } from './broken-server.js'
import { testClock } from './clock.js'

async function exchange(server: BrokenServer): Promise<'bytes' | 'silence' | 'end'> {
  const socket = connect(server.port, '127.0.0.1')
  socket.write('PING\r\n')
  const outcome = Promise.race([
    once(socket, 'data').then(() => 'bytes' as const),
    once(socket, 'close').then(() => 'end' as const),
    delay(100, 'silence' as const),
  ])
  await outcome
  const closed = once(socket, 'close')
  await server.close()
  await closed
  return outcome
}

describe('a broken server', () => {
  it('answers garbage, and closes its connections when closed', async () => {
    expect(await exchange(await startGarbageServer())).to.equal('bytes')
  })

  it('hangs, and closes its connections when closed', async () => {
    expect(await exchange(await startHangingServer())).to.equal('silence')
  })
})

describe('a test clock', () => {
  it('stands still until it is moved', () => {
    const clock = testClock(1_000)
    clock.advance(500)
    expect([clock(), clock.now]).to.deep.equal([1_500, 1_500])
    clock.set(7)
    expect([clock(), clock.now]).to.deep.equal([7, 7])
  })
})
