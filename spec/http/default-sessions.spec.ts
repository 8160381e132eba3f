import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { defaultSessions, loginRouter, requireSession } from '../../lib/index.js'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { sharedRedis } from '../support/shared-redis.js'

const LIB = import.meta.resolve('../../lib/index.ts')
const KEY = 'k'.repeat(32)

/* A process of its own: what the environment gives is made once and shared. Nothing is made where it is wrong. */
const LOG_IN = `
  import { defaultSessions, loginRouter, requireSession } from '${LIB}'
  loginRouter(); requireSession(); loginRouter()
  const sessions = defaultSessions()
  const { token, session } = await sessions.login({ code: process.env.CODE, appid: process.env.APPID })
  const { expiresAt, idleExpiresAt, createdAt, lastVisitAt } = await sessions.authenticate(token)
  const idleFrom = idleExpiresAt < expiresAt ? lastVisitAt : createdAt
  console.log(JSON.stringify([expiresAt - createdAt, idleExpiresAt - idleFrom]))
  await sessions.close()
`

type WrongVariables = [what: string, variables: Record<string, string>, message: RegExp]

describe('defaultSessions', () => {
  let sandbox: Sandbox
  let environment: Record<string, string>

  before(async () => {
    const apps = [1, 2].map((n) => ({ appid: `wx${String(n).repeat(16)}`, secret: String(n).repeat(32) }))
    sandbox = await createSandbox({ apps })
    const { appid, secret } = sandbox.app
    environment = { WEAPP_APPID: appid, WEAPP_SECRET: secret, WEAPP_API_BASE: sandbox.url }
  })
  after(() => sandbox.close())

  async function run(variables: Record<string, string>) {
    const { APPID: appid = sandbox.app.appid } = variables
    const { code: CODE } = await sandbox.phone({ appid }).wx.login()
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', LOG_IN], {
      env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH: process.env.TSX_TSCONFIG_PATH, CODE, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    return { stdout: stdout.trim(), stderr, status: status as number }
  }

  it('keeps sessions in memory without REDIS_URL, says so once, and ends by itself', async () => {
    const { stdout, stderr, status } = await run({ ...environment, REDIS_URL: '' })
    expect(stderr.trim().split('\n')).to.deep.equal([
      'weapp-session: REDIS_URL is not set, so sessions live in the memory of this process and end with it',
    ])
    expect(JSON.parse(stdout)).to.deep.equal([30 * 86_400_000, 7 * 86_400_000])
    expect(status).to.equal(0)
  })

  it('keeps sessions in Redis, reads durations with fractions and keys, and ends by itself', async () => {
    const { url } = await sharedRedis()
    // Other specs have used other keys there, which would be told.
    const redis = new Redis(url)
    await redis.flushall()
    redis.disconnect()
    const { stdout, stderr, status } = await run({
      ...environment,
      REDIS_URL: url,
      WEAPP_LOGIN_DURATION_DAYS: '0.5',
      WEAPP_SESSION_DURATION_SECONDS: '1.5',
      WEAPP_KEYS: `${KEY}, ${KEY}2`,
    })
    expect(stderr).to.equal('')
    expect(JSON.parse(stdout)).to.deep.equal([43_200_000, 1500])
    expect(status).to.equal(0)
  })

  it('writes to the database of the address, and to none where Redis does not have it', async () => {
    const { url } = await sharedRedis()
    const redis = new Redis(url)
    try {
      await redis.flushall()
      const there = await run({ ...environment, REDIS_URL: `${url}/3` })
      expect([there.status, there.stderr]).to.deep.equal([0, ''])
      expect(await redis.info('keyspace'))
        .to.match(/^db3:/m)
        .and.not.match(/^db0:/m)
      await redis.flushall()
      for (const address of [`${url}/99`, `${url}?db=99`, `${url}/99`.toUpperCase()]) {
        const { status, stderr } = await run({ ...environment, REDIS_URL: address })
        expect(stderr).to.match(/session store fails \(\w+\): Redis refuses database 99: .*out of range/)
        expect(stderr).to.include('ERR_STORE_UNAVAILABLE')
        expect(status).to.equal(1)
        expect(await redis.dbsize()).to.equal(0)
      }
    } finally {
      redis.disconnect()
    }
  })

  it('takes several apps, divided by commas, with the lifetimes for all of them', async () => {
    for (const APPID of sandbox.apps.map(({ appid }) => appid)) {
      const { stdout, status } = await run({
        ...environment,
        APPID,
        WEAPP_APPID: sandbox.apps.map(({ appid }) => appid).join(),
        WEAPP_SECRET: sandbox.apps.map(({ secret }) => secret).join(),
        WEAPP_LOGIN_DURATION_DAYS: '0.5',
        WEAPP_SESSION_DURATION_SECONDS: '1.5',
      })
      expect(JSON.parse(stdout)).to.deep.equal([43_200_000, 1500])
      expect(status).to.equal(0)
    }
  })

  const wrong: WrongVariables[] = [
    ['WEAPP_APPID is missing', { WEAPP_APPID: '' }, /^WEAPP_APPID is not set/],
    ['WEAPP_SECRET is missing', { WEAPP_SECRET: '' }, /^WEAPP_SECRET is not set/],
    ...(
      [
        ['a blank', { WEAPP_APPID: 'wx1, wx2', WEAPP_SECRET: 'one,two' }],
        ['a quote', { WEAPP_APPID: '"wx1"' }],
        ['a line end', { WEAPP_APPID: 'wx1\n' }],
        ['nothing after a comma', { WEAPP_APPID: 'wx1,', WEAPP_SECRET: 'one,two' }],
      ] as const
    ).map(
      ([what, variables]): WrongVariables => [`WEAPP_APPID has ${what}`, variables, /^WEAPP_APPID must be/],
    ),
    ['WEAPP_SECRET has a line end', { WEAPP_SECRET: 'one\n' }, /^WEAPP_SECRET must be an AppSecret/],
    [
      'an app has no secret',
      { WEAPP_APPID: 'wx1,wx2' },
      /^WEAPP_SECRET must have as many secrets as WEAPP_APPID has AppIDs, .*: 2, not 1/,
    ],
    [
      'an app is named twice',
      { WEAPP_APPID: 'wx1,wx1', WEAPP_SECRET: 'one,two' },
      /^WEAPP_APPID names the appid wx1 twice/,
    ],
    [
      'a duration is no number',
      { WEAPP_LOGIN_DURATION_DAYS: 'x' },
      /^WEAPP_LOGIN_DURATION_DAYS must be a positive number/,
    ],
    [
      'a duration is negative',
      { WEAPP_SESSION_DURATION_SECONDS: '-1' },
      /^WEAPP_SESSION_DURATION_SECONDS must be/,
    ],
    ['the API address is none', { WEAPP_API_BASE: 'weixin' }, /^WEAPP_API_BASE must be an http/],
    ...[
      'redis://x:port',
      'localhost:6379',
      'http://127.0.0.1:6379',
      'redis://127.0.0.1/name',
      'redis://127.0.0.1/2x',
      'redis://127.0.0.1/-1',
      'redis://127.0.0.1/1/2',
      'redis://127.0.0.1?db=name',
      'redis://127.0.0.1?db=',
      'redis://127.0.0.1/1?db=2',
    ].map((url): [string, Record<string, string>, RegExp] => [
      `the Redis address is ${url}`,
      { REDIS_URL: url },
      /^REDIS_URL must be a URL/,
    ]),
    [
      'a key is too short',
      { WEAPP_KEYS: 'short' },
      /^WEAPP_KEYS\[0\] must be a string of at least 32 characters/,
    ],
  ]
  /** Makes a router in this process, with these variables and no others of the package. */
  function makeRouter(variables: Record<string, string>): void {
    const before = Object.entries(process.env).filter(([name]) => /^(?:WEAPP_|REDIS_URL$)/.test(name))
    for (const [name] of before) delete process.env[name]
    Object.assign(process.env, variables)
    try {
      loginRouter()
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name]
      Object.assign(process.env, Object.fromEntries(before))
    }
  }

  for (const [what, variables, message] of wrong) {
    it(`throws a TypeError when the router is made and ${what}`, () => {
      expect(() => makeRouter({ ...environment, ...variables }))
        .to.throw(TypeError, message)
        .with.property('message')
        .that.does.not.contain(environment.WEAPP_SECRET)
    })
  }

  it('ends a process that makes a router where a variable is wrong, and shows no secret', async () => {
    const { stderr, status } = await run({ ...environment, REDIS_URL: 'localhost:6379' })
    expect(stderr)
      .to.match(/TypeError: REDIS_URL must be a URL/)
      .and.not.contain(environment.WEAPP_SECRET)
    expect(status).to.equal(1)
  })

  it('is not asked for when sessions are passed', () => {
    const sessions = { login: () => undefined, authenticate: () => undefined }
    loginRouter({ sessions } as object)
    requireSession({ sessions } as object)
    expect(defaultSessions).to.throw(TypeError, 'WEAPP_APPID')
  })
})
