import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WxFailure, wxMethod } from '../../sandbox/wx-method.js'
import { aSandbox } from './a-sandbox.js'

describe('a wx method with callbacks', () => {
  const sandbox = aSandbox()

  it('calls success, then complete, with the result', async () => {
    const calls: [string, unknown][] = []
    await new Promise<void>((done) => {
      const returned = sandbox()
        .phone()
        .wx.login({
          success: (result) => calls.push(['success', result]),
          fail: (failure) => calls.push(['fail', failure]),
          complete: (outcome) => {
            calls.push(['complete', outcome])
            done()
          },
        })
      expect(returned).to.equal(undefined)
      expect(calls).to.deep.equal([])
    })
    expect(calls.map(([name]) => name)).to.deep.equal(['success', 'complete'])
    expect(calls[0]?.[1]).to.equal(calls[1]?.[1])
    expect(calls[0]?.[1]).to.have.property('errMsg', 'login:ok')
  })

  it('calls fail, then complete, with the failure', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    const calls: [string, unknown][] = []
    await new Promise<void>((done) => {
      phone.wx.login({
        success: (result) => calls.push(['success', result]),
        fail: (failure) => calls.push(['fail', failure]),
        complete: (outcome) => {
          calls.push(['complete', outcome])
          done()
        },
      })
      expect(calls).to.deep.equal([])
    })
    expect(calls.map(([name]) => name)).to.deep.equal(['fail', 'complete'])
    expect(JSON.stringify(calls[0]?.[1])).to.equal('{"errMsg":"login:fail the phone is offline"}')
  })

  it('needs only one of them', async () => {
    const result = await new Promise((success) => {
      sandbox().phone().wx.login({ success })
    })
    expect(result).to.have.property('code')
  })

  it('lets what success throws escape, and calls complete but not fail', async () => {
    const calls: string[] = []
    const escaped = nextUncaughtException()
    wxMethod('ping', async () => ({}))({
      success: () => {
        throw new Error('a mistake in the mini-program')
      },
      fail: () => calls.push('fail'),
      complete: () => calls.push('complete'),
    })
    expect((await escaped).message).to.equal('a mistake in the mini-program')
    expect(calls).to.deep.equal(['complete'])
  })
})

describe('a wx method without callbacks', () => {
  const sandbox = aSandbox()

  it('returns a promise of the result', async () => {
    expect(await sandbox().phone().wx.login({})).to.have.property('errMsg', 'login:ok')
  })

  it('returns a promise which rejects with an error', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    const failure = await phone.wx.login().catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(WxFailure).and.to.be.an('error')
    expect(failure).to.include({ errMsg: 'login:fail the phone is offline' })
  })
})

/** Mocha's own listeners would take the exception for a failed test, so they step aside for it. */
function nextUncaughtException(): Promise<Error> {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener)
      resolve(error)
    })
  })
}
