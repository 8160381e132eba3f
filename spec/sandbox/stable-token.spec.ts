import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, StoppedClock } from './a-sandbox.js'
import { accessToken, askForToken, errcodeWith, STABLE_TOKEN } from './access-token.js'
import { ask } from './ask.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const GOOD = 40097

const clock = new StoppedClock()
const apps = [
  { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
  { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
] as const

describe('stable_token', () => {
  const sandbox = aSandbox({ clock: clock.read, apps })

  it('returns a token and the seconds it has left', async () => {
    const { status, json } = await askForToken(sandbox())
    expect(status).to.equal(200)
    expect(json).to.have.all.keys('access_token', 'expires_in')
    expect(json.access_token).to.match(/^\d\d_[\w-]{136}$/)
    expect(json.expires_in).to.equal(7200)
  })

  it('declares its JSON as application/json, for successes and for errors', async () => {
    const success = await askForToken(sandbox())
    const failure = await askForToken(sandbox(), { secret: 'guessed' })
    sandbox().misbehave({ errcode: 45009 }, { path: STABLE_TOKEN })
    const misbehaviour = await askForToken(sandbox())
    for (const { headers } of [success, failure, misbehaviour]) {
      expect(headers['content-type']).to.match(/^application\/json/)
    }
  })

  it('returns the same token until five minutes before its end', async () => {
    const first = await accessToken(sandbox())
    clock.now += 115 * MINUTE - 1
    const { json } = await askForToken(sandbox())
    expect(json).to.deep.equal({ access_token: first, expires_in: 300 })
  })

  it('returns a new one for the last five minutes, in which the old one is still good', async () => {
    const first = await accessToken(sandbox())
    clock.now += 115 * MINUTE
    const { json } = await askForToken(sandbox())
    expect(json.access_token).not.to.equal(first)
    expect(json.expires_in).to.equal(7200)
    clock.now += 5 * MINUTE - 1
    expect(await errcodeWith(sandbox(), first)).to.equal(GOOD)
    clock.now += 1
    expect(await errcodeWith(sandbox(), first)).to.equal(42001)
    expect(await errcodeWith(sandbox(), String(json.access_token))).to.equal(GOOD)
  })

  it('returns another token to another app', async () => {
    expect(await accessToken(sandbox(), apps[1])).not.to.equal(await accessToken(sandbox(), apps[0]))
  })

  const refusals: [what: string, changes: Record<string, unknown>, errcode: number][] = [
    ['a missing appid', { appid: undefined }, 41002],
    ['an appid that is a number', { appid: 7 }, 41002],
    ['an unknown appid', { appid: 'wx0000000000000000' }, 40013],
    ['a missing secret', { secret: undefined }, 41004],
    ['a wrong secret', { secret: 'guessed' }, 40125],
    ['a missing grant_type', { grant_type: undefined }, 40002],
    ['the grant_type of another endpoint', { grant_type: 'authorization_code' }, 40002],
  ]

  for (const [what, changes, errcode] of refusals) {
    it(`refuses ${what} with ${errcode} in a 200`, async () => {
      const { status, json } = await askForToken(sandbox(), changes)
      expect(status).to.equal(200)
      expect(json).to.have.all.keys('errcode', 'errmsg')
      expect(json.errcode).to.equal(errcode)
      expect(json.errmsg).to.match(/^[^,]+, rid: [0-9a-f-]{26}$/)
    })
  }

  it('refuses a GET with 43002', async () => {
    const query = new URLSearchParams({ grant_type: 'client_credential', ...sandbox().app })
    const { json } = await ask(`${sandbox().url}${STABLE_TOKEN}?${query}`)
    expect(json.errcode).to.equal(43002)
  })

  const bodies = ['', '  ', 'appid=wx1&secret=s', '{"appid":', '[]', 'null', '7', 'x'.repeat(20_000)]

  for (const body of bodies) {
    it(`refuses the body ${JSON.stringify(body.slice(0, 20))} with 47001`, async () => {
      const { json } = await ask(`${sandbox().url}${STABLE_TOKEN}`, { method: 'POST', body })
      expect(json.errcode).to.equal(47001)
    })
  }

  for (const errcode of [-1, 40164, 45009, 45011]) {
    it(`returns ${errcode} on demand`, async () => {
      sandbox().misbehave({ errcode }, { path: STABLE_TOKEN, times: 1 })
      expect((await askForToken(sandbox())).json.errcode).to.equal(errcode)
      expect((await askForToken(sandbox())).json).to.have.property('access_token')
    })
  }
})

describe('stable_token with force_refresh', () => {
  const sandbox = aSandbox({ clock: clock.read, apps })
  const force = { force_refresh: true }

  it('returns a new token, and the old one dies at once', async () => {
    const old = await accessToken(sandbox())
    const { json } = await askForToken(sandbox(), force)
    expect(json.access_token).not.to.equal(old)
    expect(await errcodeWith(sandbox(), old)).to.equal(40001)
    expect(await errcodeWith(sandbox(), String(json.access_token))).to.equal(GOOD)
    expect(await accessToken(sandbox())).to.equal(json.access_token)
  })

  it('returns the same token sooner than 30 seconds after the last time', async () => {
    const { json: first } = await askForToken(sandbox(), force)
    clock.now += 30 * SECOND - 1
    expect((await askForToken(sandbox(), force)).json.access_token).to.equal(first.access_token)
    clock.now += 1
    expect((await askForToken(sandbox(), force)).json.access_token).not.to.equal(first.access_token)
  })

  it('is refused with 45009 after 20 times, until the next day in China', async () => {
    clock.now = Date.UTC(2026, 0, 1, 15, 0)
    for (let times = 0; times < 20; times++) {
      expect((await askForToken(sandbox(), force)).json).to.have.property('access_token')
      clock.now += MINUTE
    }
    const kept = await accessToken(sandbox())
    expect((await askForToken(sandbox(), force)).json.errcode).to.equal(45009)
    expect(await accessToken(sandbox())).to.equal(kept)
    clock.now = Date.UTC(2026, 0, 1, 16, 0)
    expect((await askForToken(sandbox(), force)).json).to.have.property('access_token')
  })

  it('counts for each app on its own', async () => {
    const old = await accessToken(sandbox(), apps[1])
    await askForToken(sandbox(), force)
    expect(await errcodeWith(sandbox(), old)).to.equal(GOOD)
    const { json } = await askForToken(sandbox(), { ...apps[1], ...force })
    expect(json.access_token).not.to.equal(old)
  })

  it('counts only when it is true', async () => {
    const token = await accessToken(sandbox())
    for (const value of [false, 'true', 1, null]) {
      expect((await askForToken(sandbox(), { force_refresh: value })).json.access_token).to.equal(token)
    }
  })
})

describe('an access token', () => {
  const sandbox = aSandbox({ clock: clock.read, apps })

  it('is asked for where it is missing', async () => {
    expect(await errcodeWith(sandbox(), undefined)).to.equal(41001)
    expect(await errcodeWith(sandbox(), '')).to.equal(41001)
  })

  for (const malformed of ['guessed', '12_short', `12_${'+'.repeat(136)}`]) {
    it(`is malformed as ${malformed.slice(0, 12)}`, async () => {
      expect(await errcodeWith(sandbox(), malformed)).to.equal(40014)
    })
  }

  it('is invalid when WeChat has never issued it', async () => {
    expect(await errcodeWith(sandbox(), `12_${'x'.repeat(136)}`)).to.equal(40001)
  })

  it('expires on demand, and the next one is new', async () => {
    const token = await accessToken(sandbox())
    sandbox().expireAccessToken()
    expect(await errcodeWith(sandbox(), token)).to.equal(42001)
    const next = await accessToken(sandbox())
    expect(next).not.to.equal(token)
    expect(await errcodeWith(sandbox(), next)).to.equal(GOOD)
  })

  it('is revoked on demand, and the next one is new', async () => {
    const token = await accessToken(sandbox())
    sandbox().revokeAccessToken()
    expect(await errcodeWith(sandbox(), token)).to.equal(40001)
    const next = await accessToken(sandbox())
    expect(next).not.to.equal(token)
    expect(await errcodeWith(sandbox(), next)).to.equal(GOOD)
  })

  it('stays expired when it is revoked afterwards', async () => {
    const token = await accessToken(sandbox())
    clock.now += DAY
    sandbox().revokeAccessToken()
    expect(await errcodeWith(sandbox(), token)).to.equal(42001)
  })

  it('expires and is revoked for one app only', async () => {
    const [first, second] = [await accessToken(sandbox(), apps[0]), await accessToken(sandbox(), apps[1])]
    sandbox().expireAccessToken(apps[1].appid)
    expect(await errcodeWith(sandbox(), first)).to.equal(GOOD)
    expect(await errcodeWith(sandbox(), second)).to.equal(42001)
    sandbox().revokeAccessToken(apps[0].appid)
    expect(await errcodeWith(sandbox(), first)).to.equal(40001)
  })

  it('expires and is revoked for known apps only', () => {
    expect(() => sandbox().expireAccessToken('wx0')).to.throw(
      TypeError,
      /"appid" must be an app of this sandbox/,
    )
    expect(() => sandbox().revokeAccessToken('wx0')).to.throw(
      TypeError,
      /"appid" must be an app of this sandbox/,
    )
  })
})
