import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { type CommonRedisOptions, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { after, afterEach, before, describe, it } from 'mocha'
import { RedisStore, StoreFailure } from '../../lib/index.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { isOutage } from '../../lib/sessions/store-outage.js'
import { connectionOf } from '../../lib/stores/redis-connection.js'
import { HOUR, newHandle } from '../../store-contract/store-under-test.js'
import { startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { commandCalls } from '../support/command-calls.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const PASSWORD = 'hunter2'

type Connect = new (url: string, options: CommonRedisOptions) => Redis

for (const [version, Client] of [
  ['ioredis 6', Redis as Connect],
  ['ioredis 5', Redis5 as unknown as Connect],
] as const) {
  describe(`RedisStore on a connection of ${version}`, () => {
    let server: RedisServer
    let admin: Redis
    const clients: Redis[] = []

    before(async () => {
      server = await startRedisServer()
      admin = new Redis(server.url)
    })
    after(async () => {
      admin.disconnect()
      await server.stop()
    })
    afterEach(async () => {
      for (const client of clients.splice(0)) client.disconnect()
      await admin.flushall()
    })

    function connect(url: string, options: CommonRedisOptions = {}): Redis {
      const client = new Client(url, { maxRetriesPerRequest: 1, ...options })
      client.on('error', () => undefined)
      clients.push(client)
      return client
    }

    const told = (client: Redis, event: string) => new Promise<void>((resolve) => client.once(event, resolve))

    /** Lets all run that is to be done at once. */
    async function settled(): Promise<void> {
      for (let turns = 0; turns < 3; turns += 1) await setImmediate()
    }

    async function expectNoAttempt(client: Redis): Promise<void> {
      let attempts = 0
      client.on('connecting', () => {
        attempts += 1
      })
      await settled()
      expect(attempts).to.equal(0)
    }

    function guarded(client: Redis, log: KeptLog) {
      return guardStore({ store: new RedisStore(client), timeoutMs: 5000, clock: Date.now, logger: log })
    }

    /** What the log says when a profile is to be written, which must not be. */
    async function lineOf(client: Redis): Promise<string> {
      const log = keptLog()
      const store = guarded(client, log)
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.writeUserInfo(newHandle(), 'profile', HOUR))
      expect(await admin.dbsize()).to.equal(0)
      expect(log.lines.join()).to.not.include(PASSWORD)
      return log.lines[0] ?? ''
    }

    for (const [what, options] of [
      ['as it is made', {}],
      ['whatever patience it has', { maxRetriesPerRequest: 20 }],
      ['without a ready check', { enableReadyCheck: false }],
      ['without a queue', { enableOfflineQueue: false }],
      ['that connects when it is asked', { lazyConnect: true }],
    ] as const) {
      it(`writes nothing where Redis has no such database, and names it: a client ${what}`, async () => {
        const client = connect(`${server.url}/99`, options)
        const store = new RedisStore(client)
        for (let turn = 0; turn < 20; turn += 1) {
          await failureOf(() => store.writeUserInfo(newHandle(), 'profile', HOUR))
          await admin.ping()
        }
        expect(await admin.dbsize()).to.equal(0)
        const failure = async () => [await failureOf(() => store.ping()), await admin.ping()][0]
        let error = await failure()
        while (!(error instanceof StoreFailure)) error = await failure()
        expect(String(error)).to.match(/^StoreFailure: Redis refuses database 99: .*DB index is out of range/)
      })
    }

    it('writes nothing where Redis has refused the database before there was a store', async () => {
      const client = connect(`${server.url}/99`)
      while (client.status !== 'ready') await admin.ping()
      expect(await lineOf(client)).to.match(/Redis refuses database 99: .*DB index is out of range/)
    })

    it('looks for no users where Redis has refused the database before there was a store', async () => {
      const client = connect(`${server.url}/99`)
      while (client.status !== 'ready') await admin.ping()
      await admin.config('RESETSTAT')
      const error = await failureOf(() =>
        new RedisStore(client).revokeBatch({ group: null, cursor: `:0:${'0'.repeat(16)}::0` }),
      )
      expect(String(error)).to.match(/DB index is out of range/)
      expect((await commandCalls(admin)).scan).to.equal(undefined)
    })

    it('writes nothing to database 0 after a reconnection that loses the database', async () => {
      await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', `>${PASSWORD}`, '~*', '+@all')
      const client = connect(`redis://limited:${PASSWORD}@127.0.0.1:${server.port}/2`)
      const store = new RedisStore(client)
      await store.writeUserInfo('first', 'profile', HOUR)
      await admin.call('ACL', 'SETUSER', 'limited', '-select')
      const writes = Array.from({ length: 50 }, () => store.writeUserInfo(newHandle(), 'profile', HOUR))
      await admin.call('CLIENT', 'KILL', 'USER', 'limited')
      await Promise.allSettled(writes)
      while (client.status === 'ready') await admin.ping()
      const error = await failureOf(() => store.writeUserInfo(newHandle(), 'profile', HOUR))
      expect(String(error)).to.match(/database 2: ReplyError \(NOPERM in select\)/)
      expect(await admin.dbsize()).to.equal(0)
      await admin.call('ACL', 'SETUSER', 'limited', '+select')
      while ((await failureOf(() => store.ping()).catch(() => undefined)) !== undefined) await admin.ping()
      await store.writeUserInfo('last', 'profile', HOUR)
      expect(await admin.dbsize()).to.equal(0)
    })

    it('uses the database once a password has come later', async () => {
      const locked = await startRedisServer({ args: ['--requirepass', PASSWORD] })
      const owner = new Redis(locked.url, { password: PASSWORD })
      try {
        const client = connect(`${locked.url}/2`)
        const store = new RedisStore(client)
        await failureOf(() => store.writeUserInfo(newHandle(), 'profile', HOUR))
        client.options.password = PASSWORD
        await client.auth(PASSWORD).catch(() => undefined)
        for (let writes = 0; writes < 20; writes += 1)
          await store.writeUserInfo(newHandle(), 'profile', HOUR).catch(() => undefined)
        expect(await owner.dbsize()).to.equal(0)
      } finally {
        owner.disconnect()
        await locked.stop()
      }
    })

    it('says why there is no connection: nobody listens', async () => {
      const gone = await startRedisServer()
      await gone.stop()
      expect(await lineOf(connect(`redis://:${PASSWORD}@127.0.0.1:${gone.port}`))).to.equal(
        `error: the session store fails (writeUserInfo): MaxRetriesPerRequestError: Error (connect ECONNREFUSED 127.0.0.1:${gone.port})`,
      )
    })

    it('says why there is no connection: the name of the host is wrong', async () => {
      expect(await lineOf(connect(`redis://:${PASSWORD}@redis.invalid:6379`))).to.match(
        /MaxRetriesPerRequestError: .*Error \(getaddrinfo E\w+ redis\.invalid\)/,
      )
    })

    it('says why there is no connection: the password is wrong', async () => {
      expect(await lineOf(connect(`redis://nobody:${PASSWORD}@127.0.0.1:${server.port}/2`))).to.match(
        /ReplyError \(WRONGPASS in (auth|hello)\)/,
      )
    })

    it('takes it as an outage that Redis refuses the connection, though it replies', async () => {
      const store = new RedisStore(connect(`redis://nobody:${PASSWORD}@127.0.0.1:${server.port}`))
      const address = { handle: newHandle(), sessionId: 'A'.repeat(24) }
      for (const call of [() => store.read(address), () => store.revoke(address, 5000)]) {
        const failure = await failureOf(call)
        expect(String(failure)).to.include('WRONGPASS')
        expect(isOutage(failure)).to.equal(true)
      }
    })

    it('fails what was on its way on a lost connection, where the client does not send it again', async () => {
      const client = connect(server.url, { autoResendUnfulfilledCommands: false })
      const store = new RedisStore(client)
      await store.ping()
      const id = await client.call('CLIENT', 'ID')
      await admin.call('CLIENT', 'PAUSE', '60000', 'WRITE')
      try {
        const failures = Array.from({ length: 3 }, () => failureOf(() => store.readUser(newHandle())))
        await admin.call('CLIENT', 'KILL', 'ID', String(id))
        for (const failure of await Promise.all(failures)) expect(isOutage(failure)).to.equal(true)
      } finally {
        await admin.call('CLIENT', 'UNPAUSE')
      }
      await store.ping()
    })

    it('says why there is no connection: the server does not speak TLS', async () => {
      const garbage = await startGarbageServer()
      try {
        const line = await lineOf(connect(`rediss://:${PASSWORD}@127.0.0.1:${garbage.port}/2`))
        expect(line).to.match(/MaxRetriesPerRequestError: Error \(.*(ECONNRESET|EPROTO|ERR_SSL_\w+)/)
      } finally {
        for (const client of clients.splice(0)) client.disconnect()
        await garbage.close()
      }
    })

    it('is opened again when it is closed while it is being opened, as by a failover', async () => {
      const client = connect(server.url, { lazyConnect: true })
      const store = new RedisStore(client)
      client.connect().catch(() => undefined)
      client.disconnect(true)
      await told(client, 'end')
      await told(client, 'ready')
      expect(await store.readUser(newHandle())).to.include({ wasHere: false })
    })

    it('tells all who wait for it when it is ended, also while it waits to be opened again', async () => {
      const client = connect('redis://127.0.0.1:1', {
        retryStrategy: () => 60_000,
        maxRetriesPerRequest: null,
      })
      const connection = connectionOf(client)
      await told(client, 'reconnecting')
      const waiting = connection.call('PING')
      connection.end()
      expect(String(await failureOf(() => waiting))).to.include('Connection is closed.')
    })

    it('stays closed when it is ended in the moment in which it is to be opened again', async () => {
      const client = connect(server.url, { lazyConnect: true })
      const connection = connectionOf(client)
      client.connect().catch(() => undefined)
      client.disconnect(true)
      await told(client, 'end')
      connection.end()
      await settled()
      expect(client.status).to.equal('end')
    })

    it('stays closed when the application closes it while it is being opened', async () => {
      const client = connect(server.url, { lazyConnect: true })
      new RedisStore(client)
      client.connect().catch(() => undefined)
      client.disconnect()
      await told(client, 'end')
      await expectNoAttempt(client)
    })

    it('stays closed when the application does not want another attempt', async () => {
      const sentinels = { sentinels: [{ port: 1 }], name: 'main', sentinelRetryStrategy: () => null }
      const client = connect(server.url, { ...sentinels, lazyConnect: true })
      new RedisStore(client)
      client.connect().catch(() => undefined)
      await told(client, 'end')
      await expectNoAttempt(client)
    })

    it('is listened to once, however many stores share the client', () => {
      const client = connect(server.url)
      const before = client.listenerCount('error')
      for (let stores = 0; stores < 20; stores += 1) new RedisStore(client)
      expect(client.listenerCount('error')).to.equal(before + 1)
    })

    it('says that the server does not answer', async () => {
      const hanging = await startHangingServer()
      try {
        const log = keptLog()
        const client = connect(`redis://127.0.0.1:${hanging.port}`)
        const store = guardStore({
          store: new RedisStore(client),
          timeoutMs: 50,
          clock: Date.now,
          logger: log,
        })
        await failureOf(() => store.ping())
        expect(log.lines).to.deep.equal(['error: the session store fails (ping): no answer within 50 ms'])
      } finally {
        for (const client of clients.splice(0)) client.disconnect()
        await hanging.close()
      }
    })

    it('names the command that is disabled', async () => {
      await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', `>${PASSWORD}`, '~*', '+@all', '-set')
      const client = connect(`redis://limited:${PASSWORD}@127.0.0.1:${server.port}`)
      expect(await lineOf(client)).to.match(
        /ReplyError \((NOPERM.* in set|ERR The user executing the script can't run this command in EVALSHA)\)$/,
      )
      await admin.call('ACL', 'SETUSER', 'limited', '-evalsha', '-eval')
      expect(await lineOf(client)).to.match(/ReplyError \(NOPERM in evalsha\)$/)
    })

    for (const db of ['name', '-1', '?db=name'])
      it(`refuses a client whose database cannot be: ${db}`, () => {
        const client = connect(`${server.url}/${db}`)
        expect(() => new RedisStore(client)).to.throw(TypeError, 'database of the client')
      })
  })
}

describe('RedisStore on a connection that never answers', () => {
  it('has 10,000 commands wait at most, and fails each further one until some are answered', async () => {
    const answers: (() => void)[] = []
    const answering = () => new Promise((resolve) => answers.push(() => resolve('an answer')))
    const store = new RedisStore({ call: answering })
    const waiting = Array.from({ length: 10_000 }, () => failureOf(() => store.readUser(newHandle())))
    const failure = await failureOf(() => store.readUser(newHandle()))
    expect(failure).to.be.instanceOf(StoreFailure)
    expect(String(failure)).to.include('10000 commands wait for a reply of Redis: no more are sent')
    expect(isOutage(failure)).to.equal(true)
    expect(answers).to.have.lengthOf(10_000)
    for (const answer of answers.splice(0)) answer()
    await Promise.all(waiting)
    const further = failureOf(() => store.readUser(newHandle()))
    expect(answers).to.have.lengthOf(1)
    for (const answer of answers) answer()
    await further
  })
})

describe('RedisStore, when a call fails', () => {
  const failing = (error: Error) =>
    failureOf(() => new RedisStore({ call: () => Promise.reject(error) }).readUser(newHandle()))
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })

  it('takes what the client says of its connection as an outage', async () => {
    for (const message of ['Connection is closed.', 'connect ECONNREFUSED 127.0.0.1:6379', 'Protocol error'])
      expect(isOutage(await failing(new Error(message)))).to.equal(true)
  })

  it('takes a reply of Redis, and a bug, as none', async () => {
    const answers = [
      'OOM command not allowed',
      'READONLY You can not',
      'WRONGTYPE Operation',
      'NOPERM this user',
    ]
    for (const error of [
      ...answers.map(reply),
      new Error('LOADING Redis is loading'),
      new TypeError('a bug'),
    ])
      expect(isOutage(await failing(error))).to.equal(false)
  })
})
