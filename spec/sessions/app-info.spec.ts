import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type App, lifetimesOf } from '../../lib/sessions/app-info.js'
import { createApps } from '../../lib/sessions/apps.js'
import { groupOf } from '../../lib/sessions/token.js'
import { weappErrorOf } from '../support/failures.js'

const DAY_MS = 86_400_000
const FIRST = { appid: 'wx1', secret: 'the secret of wx1' }
const SECOND = { appid: 'wx2', secret: 'the secret of wx2' }

function appsOf(...infos: unknown[]) {
  return createApps('apps', infos, 0.02)
}

/** With the text of its secret, so that tests can compare it. */
function plain(app: App | undefined) {
  const { secret, ...rest } = app ?? expect.fail('there is no app')
  return { ...rest, secret: secret.reveal() }
}

describe('createApps', () => {
  it('fills in the defaults', () => {
    expect(appsOf(FIRST).all.map(plain)).to.deep.equal([
      {
        ...FIRST,
        id: 1,
        title: 'wx1',
        group: groupOf('wx1'),
        lifetimes: {
          loginDurationMs: 30 * DAY_MS,
          sessionDurationMs: 7 * DAY_MS,
          touchAfterMs: 12_096_000,
        },
        isSessionDurationSet: false,
        lifetimeJitter: 0,
        userInfoDurationMs: 365 * DAY_MS,
        maxSessionsPerUser: undefined,
        exchange: undefined,
      },
    ])
  })

  for (const appid of [
    ' wx1',
    'wx1 ',
    'wx 1',
    'wx1\n',
    'wx1\r\n',
    'wx1\u200b',
    '"wx1"',
    "'wx1'",
    '“wx1”',
    'wx1,wx2',
    'wx1，wx2',
    'wx1;',
  ]) {
    it(`refuses ${JSON.stringify(appid)} as appid`, () => {
      expect(() => appsOf({ ...FIRST, appid })).to.throw(TypeError, 'apps[0].appid must be an AppID')
    })
  }

  it('takes the appids of other platforms and of tests', () => {
    for (const appid of ['tt07e3715e98c9aac0', '1108291530', 'touristappid', 'wx-next', '__proto__']) {
      expect(appsOf({ ...FIRST, appid }).find(appid)?.appid).to.equal(appid)
    }
  })

  for (const secret of ['"s"', "'s'", 's\n', 's\r\n', ' s', 's\ts\n']) {
    it(`refuses ${JSON.stringify(secret)} as secret`, () => {
      expect(() => appsOf({ ...FIRST, secret })).to.throw(TypeError, 'apps[0].secret must be an AppSecret')
    })
  }

  it('takes every setting, durations with fractions', () => {
    const settings = {
      id: 7,
      title: 'Shop',
      loginDurationDays: 0.5,
      sessionDurationSeconds: 0.25,
      lifetimeJitter: 0.1,
      userInfoDurationDays: 1.5,
      maxSessionsPerUser: 3,
      exchange: async () => ({ openid: 'o1', sessionKey: 'k1' }),
    }
    expect(plain(appsOf({ ...FIRST, ...settings }).all[0])).to.deep.equal({
      ...FIRST,
      id: 7,
      title: 'Shop',
      group: groupOf('wx1'),
      lifetimes: { loginDurationMs: 12 * 3_600_000, sessionDurationMs: 250, touchAfterMs: 5 },
      isSessionDurationSet: true,
      lifetimeJitter: 0.1,
      userInfoDurationMs: 36 * 3_600_000,
      maxSessionsPerUser: 3,
      exchange: settings.exchange,
    })
  })

  it('numbers the apps by their place unless they have an id', () => {
    expect(appsOf(FIRST, SECOND, { appid: 'wx3', secret: 's', id: 9 }).all.map(({ id }) => id)).to.deep.equal(
      [1, 2, 9],
    )
  })

  it('refuses what is not a list of one or more apps', () => {
    for (const apps of [undefined, null, [], FIRST, 'wx1'])
      expect(() => createApps('apps', apps, 0.02)).to.throw(
        TypeError,
        'apps must be an array of one or more apps',
      )
  })

  it('refuses an appid or an id that two apps have', () => {
    expect(() => appsOf(FIRST, { ...SECOND, appid: 'wx1' })).to.throw(
      TypeError,
      'apps names the appid wx1 twice',
    )
    expect(() => appsOf(FIRST, { ...SECOND, id: 1 })).to.throw(TypeError, 'apps names the id 1 twice')
  })

  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['a missing appid', { appid: undefined }, /^apps\[1\]\.appid must be a non-empty string/],
    ['an empty secret', { secret: '' }, /^apps\[1\]\.secret must be a non-empty string/],
    ['an id of 0', { id: 0 }, /^apps\[1\]\.id must be an integer from 1/],
    ['an id with a fraction', { id: 1.5 }, /^apps\[1\]\.id must be an integer from 1/],
    ['an empty title', { title: '' }, /^apps\[1\]\.title must be a non-empty string/],
    [
      'no login duration at all',
      { loginDurationDays: 0 },
      /^apps\[1\]\.loginDurationDays .* up to 3650, not 0$/,
    ],
    [
      'a login of more than ten years',
      { loginDurationDays: 3651 },
      /^apps\[1\]\.loginDurationDays .*3650, not 3651$/,
    ],
    [
      'a negative session duration',
      { sessionDurationSeconds: -1 },
      /^apps\[1\]\.sessionDurationSeconds .*315360000/,
    ],
    [
      'a duration in words',
      { sessionDurationSeconds: '2h' },
      /^apps\[1\]\.sessionDurationSeconds must be a positive number/,
    ],
    [
      'a profile kept for ever',
      { userInfoDurationDays: Number.POSITIVE_INFINITY },
      /userInfoDurationDays .*Infinity$/,
    ],
    [
      'a cap of 0',
      { maxSessionsPerUser: 0 },
      /^apps\[1\]\.maxSessionsPerUser must be .* from 1 to 1000, not 0$/,
    ],
    ['a cap above 1000', { maxSessionsPerUser: 1001 }, /^apps\[1\]\.maxSessionsPerUser .*1000, not 1001$/],
    [
      'a misspelt setting',
      { loginDuration: 30 },
      /^apps\[1\]: unknown option "loginDuration"; known: appid, secret/,
    ],
  ]
  for (const [what, change, message] of wrong) {
    it(`refuses ${what}, and says where`, () => {
      const create = () => appsOf(FIRST, { ...SECOND, ...change })
      expect(create).to.throw(TypeError, message).with.property('message').that.does.not.include('the secret')
    })
  }

  it('refuses an app that is no object', () => {
    for (const app of [null, undefined, 'wx1', []])
      expect(() => appsOf(app)).to.throw(TypeError, 'apps[0]: the options must be an object')
  })
})

describe('the apps', () => {
  it('finds an app by its appid', () => {
    expect(plain(appsOf(FIRST, SECOND).find('wx2'))).to.include(SECOND)
    expect(appsOf(FIRST).find('wx2')).to.equal(undefined)
    expect(appsOf(FIRST).find('constructor')).to.equal(undefined)
  })

  it('chooses the only app for whoever names none', () => {
    expect(plain(appsOf(FIRST).choose(undefined))).to.include(FIRST)
  })

  it('chooses the app that is named', () => {
    expect(plain(appsOf(FIRST, SECOND).choose('wx2'))).to.include(SECOND)
  })

  it('chooses the app by its id, which is a number and never a text', async () => {
    const both = appsOf({ ...FIRST, id: 7 }, SECOND)
    expect(plain(both.choose(7))).to.include(FIRST)
    expect(plain(both.choose(2))).to.include(SECOND)
    for (const selector of [1, 0, -7, 7.5, Number.NaN, '7'])
      await weappErrorOf('ERR_APP_UNKNOWN', () => both.choose(selector))
  })

  it('asks for the appid where there are several', async () => {
    const error = await weappErrorOf('ERR_APP_UNKNOWN', () => appsOf(FIRST, SECOND).choose(undefined))
    expect(error.message).to.include('say which one with "appid"')
  })

  it('refuses an app that is not configured, even when there is only one app, without repeating it', async () => {
    for (const appid of ['wx9', '', 'WX1', '__proto__', 9]) {
      const error = await weappErrorOf('ERR_APP_UNKNOWN', () => appsOf(FIRST).choose(appid))
      expect(error.message).to.equal('This app does not log in here.')
    }
  })
})

describe('lifetimesOf', () => {
  const [unset, set] = appsOf(FIRST, { ...SECOND, sessionDurationSeconds: 60 }).all as [App, App]

  it('takes the idle lifetime of the session, and the same share of it for visits, where the app sets none', () => {
    expect(lifetimesOf(unset, 30 * DAY_MS)).to.deep.equal({
      loginDurationMs: 30 * DAY_MS,
      sessionDurationMs: 30 * DAY_MS,
      touchAfterMs: 0.6 * DAY_MS,
    })
  })

  it('are those of the app where the app sets one, or the session has none', () => {
    expect(lifetimesOf(set, 30 * DAY_MS)).to.equal(set.lifetimes)
    expect(lifetimesOf(set, undefined)).to.equal(set.lifetimes)
    expect(lifetimesOf(unset, undefined)).to.equal(unset.lifetimes)
  })
})
