import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, logInAndExchange, StoppedClock } from './a-sandbox.js'

describe('the session_key', () => {
  const sandbox = aSandbox()

  it('changes with every login', async () => {
    const phone = sandbox().phone()
    const first = await logInAndExchange(sandbox(), phone)
    const second = await logInAndExchange(sandbox(), phone)
    expect(second.session_key).not.to.equal(first.session_key)
    expect(sandbox().sessionKeyOf(phone)).to.equal(second.session_key)
  })

  it('is one for all phones of a user', async () => {
    const phone = sandbox().phone()
    const tablet = sandbox().phone({ user: phone.user })
    await logInAndExchange(sandbox(), phone)
    const { session_key } = await logInAndExchange(sandbox(), tablet)
    expect(sandbox().sessionKeyOf(phone)).to.equal(session_key)
  })

  it('is another one for another user', async () => {
    const [one, other] = [sandbox().phone(), sandbox().phone()]
    await logInAndExchange(sandbox(), one)
    const { session_key } = await logInAndExchange(sandbox(), other)
    expect(sandbox().sessionKeyOf(one)).not.to.equal(session_key)
  })

  it('changes when WeChat rotates it', async () => {
    const phone = sandbox().phone()
    const { session_key } = await logInAndExchange(sandbox(), phone)
    sandbox().rotateSessionKey(phone)
    expect(sandbox().sessionKeyOf(phone)).not.to.equal(session_key)
  })
})

describe('the session_key with a minimum refresh interval', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read, minRefreshIntervalMs: 1000 })

  it('survives a quick login and changes with a later one', async () => {
    const phone = sandbox().phone()
    const first = await logInAndExchange(sandbox(), phone)
    clock.now += 999
    const quick = await logInAndExchange(sandbox(), phone)
    clock.now += 1
    const later = await logInAndExchange(sandbox(), phone)
    expect(quick.session_key).to.equal(first.session_key)
    expect(later.session_key).not.to.equal(first.session_key)
  })
})

describe('the session_key without rotation', () => {
  const sandbox = aSandbox({ rotateOnLogin: false })

  it('survives logins', async () => {
    const phone = sandbox().phone()
    const first = await logInAndExchange(sandbox(), phone)
    const second = await logInAndExchange(sandbox(), phone)
    expect(second.session_key).to.equal(first.session_key)
  })
})

describe('the session_key with a lifetime', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read, rotateOnLogin: false, sessionKeyLifetimeMs: 1000 })

  it('is another one once it has expired', async () => {
    const phone = sandbox().phone()
    const { session_key } = await logInAndExchange(sandbox(), phone)
    clock.now += 999
    expect(sandbox().sessionKeyOf(phone)).to.equal(session_key)
    clock.now += 1
    expect((await logInAndExchange(sandbox(), phone)).session_key).not.to.equal(session_key)
  })

  it('no longer holds on the phone once it has expired', async () => {
    const phone = sandbox().phone()
    await phone.wx.login()
    clock.now += 1000
    const failure = await phone.wx.checkSession().catch((error: unknown) => error)
    expect(failure).to.have.property('errMsg', 'checkSession:fail session time out')
  })
})
