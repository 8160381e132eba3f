import { createCipheriv } from 'node:crypto'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express } from 'express'
import fc from 'fast-check'
import supertest, { type Response } from 'supertest'
import { MemoryStore, type Sessions } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { testClock } from './clock.js'
import { openTestBed, type TestBed, type TestBedOptions } from './test-bed.js'
import { type WatchedStore, watchStore } from './watched-store.js'

/** A test bed whose app speaks the protocols that a test mounts, and which keeps all that leaves it. */
export interface WireBed extends TestBed {
  readonly store: WatchedStore
  /** A new code of a phone; the session_key that goes with it is one of the secrets. */
  code(phone?: Phone): Promise<string>
  /** What wx.getUserInfo encrypts, in the field names of 2016. */
  openData(phone?: Phone): Promise<{ encrypt_data: string; iv: string }>
  /** The same by the algorithm of 2016, whose iv is the key. */
  openDataOf2016(phone?: Phone): Promise<string>
  /** Closes, and checks: no bug reached the application, and no secret left it, in an answer or in the log. */
  closeClean(): Promise<void>
}

export async function openWireBed(
  mount: (app: Express, sessions: Sessions) => void,
  options: TestBedOptions = {},
): Promise<WireBed> {
  const clock = testClock()
  const store = watchStore(new MemoryStore({ clock }))
  const bed = await openTestBed({
    clock,
    store,
    storeTimeoutMs: 1000,
    wechat: { timeoutMs: 1000 },
    ...options,
  })
  const answers: string[] = []
  const bugs: unknown[] = []
  const keys: string[] = []

  const app = express()
  app.use((_req, res, next) => {
    const end = res.end.bind(res) as (chunk?: unknown) => typeof res
    res.end = ((chunk?: unknown) => {
      answers.push(`${JSON.stringify(res.getHeaders())} ${chunk ?? ''}`)
      return end(chunk)
    }) as typeof res.end
    next()
  })
  mount(app, bed.sessions)
  const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
    bugs.push(error)
    res.status(500).end()
  }
  app.use(keepBug)

  return {
    ...bed,
    store,
    app,
    bugs,
    http: supertest(app),
    async code(phone = bed.phone) {
      const { code } = await phone.wx.login()
      keys.push(bed.sandbox.sessionKeyOf(phone))
      return code
    },
    async openData(phone = bed.phone) {
      const { encryptedData = '', iv = '' } = await phone.wx.getUserInfo()
      return { encrypt_data: encryptedData, iv }
    },
    async openDataOf2016(phone = bed.phone) {
      const { userInfo } = await phone.wx.getUserInfo()
      const watermark = { appid: phone.appid, timestamp: Math.floor(bed.clock() / 1000) }
      const key = Buffer.from(bed.sandbox.sessionKeyOf(phone), 'base64')
      const cipher = createCipheriv('aes-128-cbc', key, key)
      const text = JSON.stringify({ ...userInfo, openId: phone.openid, watermark })
      return cipher.update(text, 'utf8', 'base64') + cipher.final('base64')
    },
    async closeClean() {
      store.before = () => undefined
      await bed.close()
      expect([...bugs, ...bed.bugs]).to.deep.equal([])
      const seen = [...answers, ...bed.log].join('\n')
      const secrets = [...keys, ...keys.map(encodeURIComponent), ...bed.sandbox.apps.map((app) => app.secret)]
      for (const secret of secrets) expect(seen).not.to.contain(secret)
      expect(seen).not.to.contain('session_key"')
    },
  }
}

/** The body of an answer, which is JSON, of this status, and in no cache. */
export function jsonIn(res: Response, status = 200): unknown {
  expect(res.status, res.text).to.equal(status)
  expect(res.headers['content-type']).to.equal('application/json; charset=utf-8')
  expect(res.headers['cache-control']).to.equal('no-store')
  return JSON.parse(res.text)
}

/** Damages base64 without changing its form: the first block decrypts to something else. */
export function tampered(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[0] = (bytes[0] ?? 0) ^ 0xff
  return bytes.toString('base64')
}

/** All that the value of an HTTP header can hold. */
export const headerText = fc
  .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 300 })
  .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f)))
