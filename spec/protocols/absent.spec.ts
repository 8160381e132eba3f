import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  type Protocol,
  requireSession,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { EXCHANGE } from '../support/test-bed.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

type Fields = Readonly<Record<string, unknown>>

/** What old clients send for nothing, in headers and in bodies. */
const WORDS = ['undefined', 'null']
const NOTHING = [null, ...WORDS]

describe('what an old client sends for nothing', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      mountEveryProtocol(app, sessions)
      const guards = {
        wafer: waferProtocol(),
        wafer2: wafer2Protocol(),
        wxapp: wxappProtocol(),
        server: waferServerProtocol(),
      }
      for (const [name, protocol] of Object.entries(guards)) mountGuard(app, `/guarded/${name}`, protocol)

      function mountGuard(on: Express, path: string, protocol: Protocol): void {
        const guard = requireSession({ sessions, protocol, optional: true })
        on.use(path, express.json(), guard, (req, res) => void res.json({ openid: req.openid ?? null }))
      }
    })
  })
  afterEach(() => bed.closeClean())

  const get = (path: string, headers: Record<string, string>) => bed.http.get(path).set(headers)
  const post = (path: string, body: Fields) => bed.http.post(path).send(body)
  const calling = (interfaceName: unknown, para: unknown) =>
    post('/mina_auth', { interface: { interfaceName, para } })

  for (const word of WORDS) {
    for (const mount of ['wafer', 'wafer2']) {
      it(`is nothing as ${word} in the headers of a login (${mount})`, async () => {
        const nothing = { 'x-wx-encrypted-data': word, 'x-wx-iv': word, 'x-wx-id': word, 'x-wx-skey': word }
        const { body } = await get(`/${mount}/login`, { 'x-wx-code': await bed.code(), ...nothing }).expect(
          200,
        )
        expect(JSON.stringify(body)).to.match(/"skey":"[\w-]{64}"/)
      })

      it(`is no code as ${word} in a header (${mount})`, async () => {
        const none = await get(`/${mount}/login`, {})
        const { body } = await get(`/${mount}/login`, { 'x-wx-code': word })
        expect(body).to.deep.equal(none.body)
        expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
      })

      it(`is no token as ${word} in a header (${mount})`, async () => {
        await get(`/guarded/${mount}`, { 'x-wx-id': word, 'x-wx-skey': word }).expect(200, { openid: null })
      })
    }
  }

  for (const nothing of NOTHING) {
    it(`is nothing as ${JSON.stringify(nothing)} in the body of a login (wxapp)`, async () => {
      const fields = { encrypt_data: nothing, iv: nothing, app_id: nothing, uuid: nothing, skey: nothing }
      const { body } = await post('/mina/login', { code: await bed.code(), ...fields })
      expect(body).to.include({ ok: 'success' })
    })

    it(`is the same as a field left out as ${JSON.stringify(nothing)} (wxapp)`, async () => {
      const token = await bed.logIn()
      const check = { uuid: token.slice(0, 20), skey: token, app_id: 1 }
      for (const name of Object.keys(check)) {
        const { body } = await post('/mina/auth', { ...check, [name]: nothing })
        expect(body).to.deep.equal((await post('/mina/auth', { ...check, [name]: undefined })).body)
      }
      const calls = bed.sandbox.callCount(EXCHANGE)
      const { body } = await post('/mina/login', { code: nothing })
      expect(body).to.deep.equal((await post('/mina/login', { other: 1 })).body)
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(calls)
      await post('/guarded/wxapp', { uuid: nothing, skey: nothing, app_id: nothing }).expect(200, {
        openid: null,
      })
    })

    it(`is the same as a field left out as ${JSON.stringify(nothing)} (the session server)`, async () => {
      const token = await bed.logIn()
      const para = {
        id: token.slice(0, 20),
        skey: token,
        code: 'a-code-of-some-length',
        encrypt_data: 'AAAA',
      }
      for (const [name, needed] of Object.entries({
        'qcloud.cam.auth': ['id', 'skey'],
        'qcloud.cam.id_skey': ['code', 'encrypt_data'],
        'qcloud.cam.decrypt': ['id', 'skey', 'encrypt_data'],
      })) {
        for (const field of needed) {
          const { body } = await calling(name, { ...para, [field]: nothing })
          expect(body, `${name} ${field}`).to.deep.equal(
            (await calling(name, { ...para, [field]: undefined })).body,
          )
        }
      }
      expect((await calling(nothing, para)).body).to.deep.equal((await calling(undefined, para)).body)
      expect((await calling('qcloud.cam.auth', nothing)).body).to.deep.equal(
        (await calling('qcloud.cam.auth', undefined)).body,
      )
      const asked = { interfaceName: 'qcloud.cam.auth', para: { id: nothing, skey: nothing } }
      await post('/guarded/server', { interface: asked }).expect(200, { openid: null })
    })

    it(`is data of 2016 with ${JSON.stringify(nothing)} as iv, and no token beside a login (the session server)`, async () => {
      const fields = { code: await bed.code(), encrypt_data: await bed.openDataOf2016(), iv: nothing }
      const { body } = await calling('qcloud.cam.id_skey', { ...fields, id: nothing, skey: nothing })
      expect(body).to.include({ returnCode: 0 })
    })
  }
})
