import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createSandbox, type PhoneOptions, type SandboxOptions } from '../../sandbox/index.js'
import { aSandbox } from './a-sandbox.js'
import { errorCodeOf } from './ask.js'

describe('createSandbox', () => {
  const sandbox = aSandbox()

  it('listens on a free port of the loopback', () => {
    expect(sandbox().url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it('knows one app with a random appid and secret', () => {
    expect(sandbox().apps).to.deep.equal([sandbox().app])
    expect(sandbox().app.appid).to.match(/^wx[0-9a-f]{16}$/)
    expect(sandbox().app.secret).to.match(/^[0-9a-f]{32}$/)
  })

  it('takes the apps it is given, without what else they carry', async () => {
    const configured = { appid: 'wx1', secret: 's1', title: 'Shop' }
    const another = await createSandbox({ apps: [configured, { appid: 'wx2', secret: 's2' }] })
    await another.close()
    expect(another.app).to.deep.equal({ appid: 'wx1', secret: 's1' })
    expect(another.apps).to.have.length(2)
  })

  it('listens on the host and port it is given', async () => {
    const first = await createSandbox({ host: 'localhost' })
    await first.close()
    const { port } = new URL(first.url)
    const second = await createSandbox({ host: 'localhost', port: Number(port) })
    await second.close()
    expect(second.url).to.equal(`http://localhost:${port}`)
  })

  it('rejects when the port is taken', async () => {
    const { port } = new URL(sandbox().url)
    expect(await errorCodeOf(createSandbox({ port: Number(port) }))).to.equal('EADDRINUSE')
  })

  it('takes undefined for absent', async () => {
    const options = { apps: undefined, port: undefined, clock: undefined } as unknown as SandboxOptions
    const another = await createSandbox(options)
    await another.close()
    expect(another.apps).to.have.length(1)
  })

  const wrong: [what: string, options: unknown, message: RegExp][] = [
    ['an unknown option', { prot: 1 }, /unknown option "prot"; known: apps, port, host, clock/],
    ['options that are not an object', 'wx1', /the options must be an object/],
    ['an empty list of apps', { apps: [] }, /"apps" must be a list of at least one/],
    ['an app without secret', { apps: [{ appid: 'wx1' }] }, /"apps" must be a list/],
    ['an app that is null', { apps: [null] }, /"apps" must be a list/],
    [
      'an appid twice',
      {
        apps: [
          { appid: 'a', secret: 'b' },
          { appid: 'a', secret: 'c' },
        ],
      },
      /no appid twice/,
    ],
    ['a port as text', { port: '80' }, /"port" must be an integer from 0 to 65535/],
    ['a port out of range', { port: 65536 }, /"port" must be an integer/],
    ['an empty host', { host: '' }, /"host" must be a non-empty string/],
    ['a clock that is a number', { clock: 0 }, /"clock" must be a function/],
    ['a rotation that is not a boolean', { rotateOnLogin: 1 }, /"rotateOnLogin" must be true or false/],
    ['a negative interval', { minRefreshIntervalMs: -1 }, /"minRefreshIntervalMs" must be a number/],
    ['a lifetime of nothing', { sessionKeyLifetimeMs: 0 }, /"sessionKeyLifetimeMs" must be a number/],
    ['quotas that are not an object', { quotas: 2 }, /"quotas" must be an object with some of the quotas/],
    ['an unknown quota', { quotas: { perMinute: 2 } }, /quotas: unknown option "perMinute"/],
    ['a unionid that is not a boolean', { unionid: 'o1' }, /"unionid" must be true or false/],
  ]

  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const failure = await createSandbox(options as SandboxOptions).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(TypeError).with.property('message').that.matches(message)
    })
  }
})

describe('sandbox.phone', () => {
  const sandbox = aSandbox()

  const wrong: [what: string, options: unknown, message: RegExp][] = [
    ['an unknown option', { usr: 'x' }, /unknown option "usr"; known: appid, user, profile/],
    ['an unknown appid', { appid: 'wx0' }, /"appid" must be an app of this sandbox: wx/],
    ['an empty user', { user: '' }, /"user" must be a string of 1 to 128 characters/],
    ['a very long user', { user: 'x'.repeat(129) }, /"user" must be a string/],
    ['a phone number with a sign', { phoneNumber: '+8613800000000' }, /"phoneNumber" must be 5 to 15 digits/],
    ['a country code with a sign', { countryCode: '+86' }, /"countryCode" must be 1 to 4 digits/],
    ['a country code of 0', { countryCode: 0 }, /"countryCode" must be 1 to 4 digits/],
    ['an empty group', { group: '' }, /"group" must be a string of 1 to 128 characters/],
    ['a profile that is not an object', { profile: 'Band' }, /"profile" must be an object/],
  ]

  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, () => {
      expect(() => sandbox().phone(options as PhoneOptions)).to.throw(TypeError, message)
    })
  }

  it('gives all phones of a user one profile', async () => {
    const phone = sandbox().phone({ profile: { nickName: 'Band' } })
    const tablet = sandbox().phone({ user: phone.user, profile: { city: 'Shenzhen' } })
    const { userInfo } = await phone.wx.getUserProfile({ desc: 'to greet you' })
    expect(userInfo).to.include({ nickName: 'Band', city: 'Shenzhen' })
    expect((await tablet.wx.getUserProfile({ desc: 'to greet you' })).userInfo).to.deep.equal(userInfo)
  })
})
