import express, { type Express } from 'express'
import {
  loginRouter,
  type OpenDataAs,
  requireSession,
  type Sessions,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'

/** What a route can decrypt data as. */
export const DECRYPTED_AS: readonly OpenDataAs[] = ['any', 'phone', 'weRun', 'group', 'userInfo']

/** Mounts the protocols of the predecessors, each at a path of its own, and the native one at the root. */
export function mountEveryProtocol(app: Express, sessions: Sessions): void {
  app.use('/wafer', loginRouter({ sessions, protocol: waferProtocol() }))
  app.use('/wafer2', loginRouter({ sessions, protocol: wafer2Protocol() }))
  app.use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
  app.use('/mina', loginRouter({ sessions, protocol: wxappProtocol() }))
  app.use(loginRouter({ sessions }))
}

/** Mounts a route for each kind of data, `/as/phone` and so on, that decrypts the body as it. */
export function mountDecryption(
  app: Express,
  sessions: Sessions,
  options: { readonly maxAgeSeconds?: number } = {},
): void {
  for (const as of DECRYPTED_AS) {
    app.post(`/as/${as}`, requireSession({ sessions }), express.json(), (req, res, next) => {
      req.weapp.decrypt(req.body, { as, ...options }).then((data) => res.json(data), next)
    })
  }
}
