import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Calls } from '../../sandbox/calls.js'
import { aSandbox, exchange, StoppedClock } from './a-sandbox.js'
import { ask } from './ask.js'

const PATH = '/sns/jscode2session'

describe('sandbox.calls', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read })

  it('shows what reached an endpoint, in order', async () => {
    const { code } = await sandbox().phone().wx.login()
    await exchange(sandbox(), code)
    clock.now += 10
    await exchange(sandbox(), 'another')
    const [first, second] = sandbox().calls(PATH)
    const query = { ...sandbox().app, js_code: code, grant_type: 'authorization_code' }
    expect(first).to.deep.equal({ method: 'GET', path: PATH, query, body: '', at: clock.now - 10 })
    expect(second).to.deep.include({ query: { ...query, js_code: 'another' }, at: clock.now })
  })

  it('is empty for an endpoint that nobody called', () => {
    expect(sandbox().calls(PATH)).to.deep.equal([])
    expect(sandbox().callCount(PATH)).to.equal(0)
  })

  it('shows what the phones ask WeChat', async () => {
    await sandbox().phone().wx.login()
    expect(sandbox().callCount('/sandbox/login')).to.equal(1)
  })

  it('shows the body of a request', async () => {
    await ask(`${sandbox().url}/x`, { method: 'POST', body: '{"a":"中"}' })
    expect(sandbox().calls('/x')[0]?.body).to.equal('{"a":"中"}')
  })

  it('shows no body where it was longer than the sandbox reads', async () => {
    await ask(`${sandbox().url}/x`, { method: 'POST', body: Buffer.alloc(16 * 1024 + 1, 'x') })
    expect(sandbox().calls('/x')[0]?.body).to.equal('')
  })

  it('shows requests that met a misbehaviour', async () => {
    sandbox().misbehave({ errcode: -1 })
    await exchange(sandbox(), 'any')
    expect(sandbox().callCount(PATH)).to.equal(1)
  })

  it('keeps the first of a repeated parameter', async () => {
    await ask(`${sandbox().url}/x?a=1&a=2&__proto__=3`)
    const [call] = sandbox().calls('/x')
    expect(Object.entries(call?.query ?? {})).to.deep.equal([
      ['a', '1'],
      ['__proto__', '3'],
    ])
  })

  it('begins anew after clearCalls', async () => {
    await exchange(sandbox(), 'any')
    sandbox().clearCalls()
    expect(sandbox().calls(PATH)).to.deep.equal([])
    expect(sandbox().callCount(PATH)).to.equal(0)
  })
})

describe('the log of calls', () => {
  it('keeps the latest 10,000 and counts all', () => {
    const calls = new Calls()
    for (let at = 0; at < 10_001; at++) calls.record({ method: 'GET', path: PATH, query: {}, body: '', at })
    expect(calls.to(PATH)).to.have.length(10_000)
    expect(calls.to(PATH)[0]?.at).to.equal(1)
    expect(calls.count(PATH)).to.equal(10_001)
  })
})
