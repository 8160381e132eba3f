import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createWxSocket } from '../../sandbox/wx-socket.js'

describe('the sockets of wx', () => {
  it('fail to connect, and say why', async () => {
    const failure = await createWxSocket()
      .connectSocket({ url: 'wss://example.com' })
      .catch((reason: unknown) => reason)
    expect(failure).to.include({ errMsg: 'connectSocket:fail the sandbox has no sockets' })
  })

  it('take listeners and never call them', () => {
    const { onSocketOpen, onSocketMessage, onSocketClose, onSocketError } = createWxSocket()
    for (const listen of [onSocketOpen, onSocketMessage, onSocketClose, onSocketError]) {
      listen(() => expect.fail('there is no socket'))
    }
  })
})
