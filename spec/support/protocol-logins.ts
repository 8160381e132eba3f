import type { Express } from 'express'
import { tokenFlow } from '../../docs/recipes/token-flow.js'
import { userStateFlow } from '../../docs/recipes/user-state-flow.js'
import { loginRouter, type Sessions } from '../../lib/index.js'
import { mountEveryProtocol } from './every-protocol.js'
import type { WireBed } from './wire-bed.js'

/** Logs in with a code and, if there is one, the token of the login before; returns the new one. */
export type LogIn = (bed: WireBed, code: string, old?: string) => Promise<string>

const idOf = (token: string) => token.slice(0, 20)
const call = (para: object) => ({
  version: 1,
  componentName: 'MA',
  interface: { interfaceName: 'qcloud.cam.id_skey', para },
})

/** A login in each protocol, the recipes included. */
export const protocolLogins: readonly [protocol: string, logIn: LogIn][] = [
  [
    'native',
    async ({ http }, code, old = '') =>
      (await http.post('/login').set('x-3rd-session', old).send({ code })).body.token,
  ],
  [
    'wafer',
    async ({ http }, code, old) => {
      const headers = { 'x-wx-code': code, ...(old && { 'x-wx-id': idOf(old), 'x-wx-skey': old }) }
      return (await http.get('/wafer/login').set(headers)).body.session.skey
    },
  ],
  [
    'wafer2',
    async ({ http }, code, old) => {
      const headers = { 'x-wx-code': code, ...(old && { 'x-wx-skey': old }) }
      return (await http.get('/wafer2/login').set(headers)).body.data.skey
    },
  ],
  [
    'wafer-server',
    async (bed, code, old) => {
      const { http } = bed
      const para = {
        code,
        encrypt_data: await bed.openDataOf2016(),
        ...(old && { id: idOf(old), skey: old }),
      }
      return (await http.post('/mina_auth/').send(call(para))).body.returnData.skey
    },
  ],
  [
    'wxapp',
    async ({ http }, code, old) => {
      const body = { code, ...(old && { uuid: idOf(old), skey: old }) }
      return (await http.post('/mina/login').send(body)).body.data.skey
    },
  ],
  [
    'token-flow',
    async ({ http }, code, old = '') =>
      (await http.post('/token/login/').set('token', old).send({ code })).body.data.token,
  ],
  [
    'user-state-flow',
    async ({ http }, code, old = '') =>
      (await http.get('/state/login').set('user-uuid', old).query({ code })).body.user_uuid,
  ],
]

/** Mounts what {@link protocolLogins} log in through. */
export function mountProtocolLogins(app: Express, sessions: Sessions): void {
  app.use('/token', loginRouter({ sessions, protocol: tokenFlow }))
  app.use('/state', loginRouter({ sessions, protocol: userStateFlow }))
  mountEveryProtocol(app, sessions)
}
