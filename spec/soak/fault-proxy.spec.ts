import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { until } from '../support/until.js'
import { FaultProxy, type Passage } from './fault-proxy.js'

interface Client {
  readonly socket: Socket
  /** What has come back. */
  readonly received: () => string
}

describe('the network of the soak', () => {
  let echo: Server
  let arrived: string
  let proxy: FaultProxy
  let clients: Client[]

  beforeEach(async () => {
    arrived = ''
    clients = []
    echo = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        arrived += bytes
        socket.write(bytes)
      })
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    proxy = new FaultProxy((echo.address() as AddressInfo).port)
    await proxy.listen()
  })

  afterEach(async () => {
    for (const { socket } of clients) socket.destroy()
    await proxy.close()
    echo.close()
  })

  async function aClient(port = proxy.port): Promise<Client> {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes
    })
    await once(socket, 'connect')
    const client = { socket, received: () => received }
    clients.push(client)
    return client
  }

  /** What was sent before has come to the proxy when this is done: it takes a way of its own, and longer. */
  async function aWhile(): Promise<void> {
    const witness = await aClient((echo.address() as AddressInfo).port)
    for (let count = 1; count <= 10; count += 1) {
      witness.socket.write('w')
      await until(() => witness.received().length === count)
    }
  }

  const arrivedOfOthers = () => arrived.replaceAll('w', '')

  it('keeps bytes in order, also where it becomes fast again', async () => {
    const client = await aClient()
    proxy.passage = { kind: 'slow', roundTripMs: 200 }
    client.socket.write('a')
    await until(() => arrived === 'a')
    proxy.passage = { kind: 'clear' }
    client.socket.write('b')
    await until(() => client.received().length === 2)
    expect(client.received()).to.equal('ab')
  })

  for (const [kind, arrives] of [
    ['black hole', ''],
    ['replies lost', 'ab'],
  ] as const) {
    it(`leaves a connection dead after "${kind}", and lets new ones work`, async () => {
      const client = await aClient()
      proxy.passage = { kind } satisfies Passage
      client.socket.write('a')
      await aWhile()
      proxy.passage = { kind: 'clear' }
      client.socket.write('b')
      await aWhile()
      expect(arrivedOfOthers()).to.equal(arrives)
      expect(client.received()).to.equal('')
      const another = await aClient()
      another.socket.write('c')
      await until(() => another.received() === 'c')
      expect(client.socket.destroyed).to.equal(false)
    })
  }
})
