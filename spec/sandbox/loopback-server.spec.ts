import { once } from 'node:events'
import { get } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createSandbox } from '../../sandbox/index.js'
import { aSandbox, exchange } from './a-sandbox.js'
import { ask, errorCodeOf } from './ask.js'

describe('a sandbox that is taken down', () => {
  const sandbox = aSandbox()

  it('refuses connections', async () => {
    await sandbox().takeDown()
    expect(await errorCodeOf(ask(sandbox().url))).to.equal('ECONNREFUSED')
  })

  it('makes wx.login fail', async () => {
    const phone = sandbox().phone()
    await sandbox().takeDown()
    const failure = await phone.wx.login().catch((error: unknown) => error)
    expect(failure)
      .to.have.property('errMsg')
      .that.matches(/^login:fail .*ECONNREFUSED/)
  })

  it('breaks the requests it is answering', async () => {
    sandbox().misbehave('hang')
    const asking = exchange(sandbox(), 'any').catch((error: NodeJS.ErrnoException) => error.code)
    while (sandbox().callCount('/sns/jscode2session') === 0) await new Promise(setImmediate)
    await sandbox().takeDown()
    expect(await asking).to.equal('ECONNRESET')
  })

  it('comes back on the same port and remembers what it knew', async () => {
    const { url } = sandbox()
    const { code } = await sandbox().phone().wx.login()
    await sandbox().takeDown()
    await sandbox().bringUp()
    expect(sandbox().url).to.equal(url)
    expect((await exchange(sandbox(), code)).json).to.have.property('openid')
  })

  it('may be taken down and brought up twice in a row', async () => {
    await sandbox().takeDown()
    await sandbox().takeDown()
    await sandbox().bringUp()
    await sandbox().bringUp()
    expect((await ask(sandbox().url)).status).to.equal(404)
  })
})

describe('a sandbox that is closed', () => {
  it('breaks a request that hangs', async () => {
    const sandbox = await createSandbox()
    sandbox.misbehave('hang')
    const asking = get(`${sandbox.url}/sns/jscode2session`)
    const broken = once(asking, 'error')
    while (sandbox.callCount('/sns/jscode2session') === 0) await new Promise(setImmediate)
    await sandbox.close()
    const [error] = await broken
    expect(error.code).to.equal('ECONNRESET')
  })

  it('breaks a connection that never said anything', async () => {
    const sandbox = await createSandbox()
    const { hostname, port } = new URL(sandbox.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    await ask(sandbox.url)
    const broken = once(socket, 'close')
    await sandbox.close()
    await broken
  })

  it('may be closed again, and when it is down', async () => {
    // None that the system gives to somebody else as soon as it is free.
    const sandbox = await createSandbox({ port: 22_000 + Math.floor(Math.random() * 10_000) })
    await sandbox.takeDown()
    await sandbox.close()
    await sandbox.close()
    expect(await errorCodeOf(ask(sandbox.url))).to.equal('ECONNREFUSED')
  })

  it('cannot be brought up again', async () => {
    const sandbox = await createSandbox()
    await sandbox.close()
    const failure = await sandbox.bringUp().catch((error: Error) => error)
    expect(failure).to.be.an('error').with.property('message').that.includes('is closed')
  })
})
