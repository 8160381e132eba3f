import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { killExamples, startExample } from '../example-app/example-process.js'
import { until } from '../support/until.js'
import { BusyClients } from './busy-clients.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CLIENTS = 100
const LOGINS = 20
/** Longer than the time in which two signals count as one. */
const BETWEEN_SIGNALS_MS = 600

describe('the example app as a process that is told to end', () => {
  let wechat: Server
  /** Calls to WeChat that the test has to answer. */
  const asked: ServerResponse[] = []
  let clients: BusyClients
  let group: number | undefined

  beforeEach(async () => {
    asked.length = 0
    clients = new BusyClients()
    wechat = createServer((_req, res) => void asked.push(res)).listen(0, '127.0.0.1')
    await once(wechat, 'listening')
  })
  afterEach(() => {
    killExamples()
    killGroup()
    clients.close()
    wechat.close()
    wechat.closeAllConnections()
  })

  function environment(): Record<string, string> {
    const { port } = wechat.address() as AddressInfo
    return { WEAPP_APPID: 'wx1', WEAPP_SECRET: 'a-secret', WEAPP_API_BASE: `http://127.0.0.1:${port}` }
  }

  function killGroup(): void {
    try {
      if (group !== undefined) process.kill(-group, 'SIGKILL')
    } catch {
      // None of them is left, as it should be.
    }
    group = undefined
  }

  function answerWechat(): void {
    for (const [at, res] of asked.entries())
      res.end(JSON.stringify({ openid: `user-${at}`, session_key: Buffer.alloc(16, at).toString('base64') }))
  }

  function logIns(url: string, count = 1) {
    const headers = { 'content-type': 'application/json' }
    return Promise.all(
      Array.from({ length: count }, (_, at) =>
        clients.send(`${url}/login`, { headers, body: { code: `code-${at}` } }),
      ),
    )
  }

  /** Resolves with the code and the signal that a process ended with. */
  async function ended(child: ChildProcess): Promise<unknown[]> {
    return child.exitCode === null && child.signalCode === null
      ? once(child, 'exit')
      : [child.exitCode, child.signalCode]
  }

  it('answers every request that was sent, on busy connections and to slow upstreams, and ends with 0', async () => {
    const app = await startExample(environment())
    const silent = connect(Number(new URL(app.url).port), '127.0.0.1').on('error', () => undefined)
    const busy = clients.ask(`${app.url}/healthz`, CLIENTS)
    const logins = logIns(app.url, LOGINS)
    await until(() => asked.length === LOGINS && clients.endings.length > 3 * CLIENTS)
    const exit = ended(app.process)
    clients.mark()
    app.process.kill('SIGTERM')
    await busy
    answerWechat()
    expect((await logins).map(({ outcome }) => outcome)).to.deep.equal(Array(LOGINS).fill(200))
    for (const { headers } of await logins) expect(headers.connection).to.equal('close')
    expect(await exit).to.deep.equal([0, null])
    expect(clients.lost).to.deep.equal([])
    silent.destroy()
  })

  it('counts two signals at once as one, as those of Ctrl-C under npm', async () => {
    const app = await startExample(environment())
    const login = logIns(app.url)
    await until(() => asked.length === 1)
    const exit = ended(app.process)
    // Of two of the same kind the system would hand over one.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) app.process.kill(signal)
    await until(() => isRefused(app.url))
    answerWechat()
    expect((await login)[0]?.outcome).to.equal(200)
    expect(await exit).to.deep.equal([0, null])
  })

  it('ends at once at a second signal, with the code that shells use for it', async () => {
    const app = await startExample(environment())
    const login = logIns(app.url)
    await until(() => asked.length === 1)
    const exit = ended(app.process)
    app.process.kill('SIGTERM')
    await pause(BETWEEN_SIGNALS_MS)
    app.process.kill('SIGTERM')
    expect(await exit).to.deep.equal([143, null])
    expect((await login)[0]?.outcome).to.equal('ECONNRESET')
  })

  it('answers 503 where WeChat hangs, and ends with 0 by itself', async () => {
    const app = await startExample(environment())
    const login = logIns(app.url)
    await until(() => asked.length === 1)
    const exit = ended(app.process)
    app.process.kill('SIGTERM')
    expect((await login)[0]?.outcome).to.equal(503)
    expect(await exit).to.deep.equal([0, null])
  })

  // npm hands SIGTERM to its shell, which ends; killed, it leaves the shell behind.
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`ends under npm start that got ${signal} as well, and answers before`, async () => {
      const env = { ...environment(), PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', PORT: '0' }
      // In a process group of its own, which the test can end whatever comes of it.
      const npm = spawn('npm', ['start'], {
        cwd: ROOT,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      })
      group = npm.pid
      let output = ''
      npm.stdout.on('data', (chunk) => {
        output += chunk
      })
      // The app has the same stdout: it is closed when no process is left.
      const isOver = once(npm.stdout, 'close')
      await until(() => /example: http/.test(output))
      const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
      const login = logIns(url)
      await until(() => asked.length === 1)
      npm.kill(signal)
      await until(() => isRefused(url))
      answerWechat()
      expect((await login)[0]?.outcome).to.equal(200)
      await isOver
    })
  }

  async function isRefused(url: string): Promise<boolean> {
    const { outcome } = await clients.send(`${url}/healthz`)
    return outcome === 'ECONNREFUSED'
  }
})
