import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Router } from 'express'
import {
  adminRouter,
  asyncHandler,
  createSessions,
  loginRouter,
  MemoryStore,
  problemHandler,
  requireServiceToken,
  requireSession,
  type Sessions,
  serviceTokens,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../../lib/index.js'
import { keyPair } from '../../service-tokens/forge.js'
import type { Route } from './any-request.js'

const ISSUER = 'https://app.example.com'
const AUDIENCE = 'orders'
/** What ends the sessions of all, also of those who are honest: its router is on sessions of its own. */
const OF_ALL = ['revokeApp', 'revokeAll']
const EMPTY_APP = { appid: 'wx9999999999999999', secret: '9'.repeat(32) }
const silent = { warn: () => undefined, error: () => undefined }

/** An application with all that the package mounts. */
export interface BackEnd {
  readonly port: number
  readonly routes: readonly Route[]
  /** What reached the error handler of the application, but for what its parsers refuse. */
  readonly bugs: unknown[]
  /** Gives a session a token for the service. */
  serviceToken(token: string): Promise<string>
  close(): Promise<void>
}

/** The routers of the package, and where they are mounted. A new one is attacked once it stands here. */
function routersOf(
  sessions: Sessions,
  empty: Sessions,
  origin: string,
): readonly (readonly [at: string, router: Router])[] {
  return [
    ['/v2', loginRouter({ sessions, header: 'x-own-token', bearer: false, keepPhoneNumber: true })],
    ['/wafer', loginRouter({ sessions, protocol: waferProtocol() })],
    ['/wafer2', loginRouter({ sessions, protocol: wafer2Protocol() })],
    ['/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() })],
    ['/mina', loginRouter({ sessions, protocol: wxappProtocol() })],
    [
      '/behind-parsers',
      express.Router().use(express.json(), express.urlencoded({ extended: true }), loginRouter({ sessions })),
    ],
    ['/limited', loginRouter({ sessions, limit: { perAddress: 1, perApp: 2, windowSeconds: 30 } })],
    ['/guarded', guardedRoutes(sessions)],
    ['/tokens', serviceTokens({ sessions, issuer: ISSUER, audiences: [AUDIENCE], keys: [keyPair()] })],
    ['/service', serviceRoutes(`${origin}/tokens/.well-known/jwks.json`)],
    ['/admin', operatorRoutes(sessions)],
    ['/all-users', operatorRoutes(empty)],
    ['', loginRouter({ sessions })],
  ]
}

/** What an application has behind the guard. */
function guardedRoutes(sessions: Sessions): Router {
  const router = express.Router()
  router.all('/me', requireSession({ sessions }), (req, res) => {
    res.json({ openid: req.openid, weapp: req.weapp })
  })
  router.all('/optional', requireSession({ sessions, optional: true }), (req, res) => {
    res.json({ openid: req.openid })
  })
  router.all('/recent', requireSession({ sessions, maxAgeSeconds: 300 }), (_req, res) => void res.end())
  const decrypt = asyncHandler(async (req, res) => void res.json(await req.weapp.decrypt(req.body)))
  router.post('/decrypt', requireSession({ sessions }), express.json(), decrypt)
  for (const [name, protocol] of Object.entries({
    waferProtocol,
    wafer2Protocol,
    waferServerProtocol,
    wxappProtocol,
  })) {
    router.all(`/${name}`, express.json(), requireSession({ sessions, protocol: protocol() }), (req, res) => {
      res.json({ openid: req.openid })
    })
  }
  return router
}

/** What another service has behind the guard for service tokens. */
function serviceRoutes(jwksUri: string): Router {
  const router = express.Router()
  const options = { issuer: ISSUER, audience: AUDIENCE, logger: silent }
  for (const [path, guard] of Object.entries({
    '/fetching': requireServiceToken({ ...options, jwksUri, allowHttp: true }),
    '/optional': requireServiceToken({ ...options, jwksUri, allowHttp: true, optional: true }),
    '/other-key': requireServiceToken({ ...options, keys: [createPublicKey(keyPair())] }),
  })) {
    router.all(
      path,
      guard,
      (req, res) => void res.json({ serviceToken: req.serviceToken, openid: req.openid }),
    )
  }
  return router
}

function operatorRoutes(sessions: Sessions): Router {
  return adminRouter({
    sessions,
    authorize: (req, action) =>
      (sessions.apps.appids.includes(EMPTY_APP.appid) || !OF_ALL.includes(action)) && req.get('x-operator'),
    onAudit: () => undefined,
    logger: silent,
  })
}

export async function openBackEnd(sessions: Sessions): Promise<BackEnd> {
  const bugs: unknown[] = []
  const app = express()
  const server = createServer({ maxHeaderSize: 16 * 1024 }, app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const empty = createSessions({ apps: [EMPTY_APP], store: new MemoryStore(), logger: silent })
  const routers = routersOf(sessions, empty, `http://127.0.0.1:${port}`)
  app.set('trust proxy', 1)
  for (const [at, router] of routers) app.use(at || '/', router)
  app.use(problemHandler())
  const keepBug: ErrorRequestHandler = (error, _req, res, next) => {
    const { status } = Object(error)
    // Parsers of the application, and Express at a path that cannot be decoded, say so by a status.
    const isRefusal = status >= 400 && status < 500
    if (!isRefusal) bugs.push(error)
    if (res.headersSent) next(error)
    else res.status(isRefusal ? status : 500).end()
  }
  app.use(keepBug)
  return {
    port,
    routes: routers.flatMap(([at, router]) =>
      routesIn(router).map(({ method, path }) => ({ method, path: at + path })),
    ),
    bugs,
    async serviceToken(token) {
      const headers = { 'x-3rd-session': token }
      const res = await fetch(`http://127.0.0.1:${port}/tokens/token`, { method: 'POST', headers })
      return ((await res.json()) as { token: string }).token
    },
    async close() {
      await empty.close()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** What Express keeps of a router, in both versions. */
interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> }
  readonly handle: { readonly stack?: readonly Layer[] }
}

function routesIn({ stack = [] }: { readonly stack?: readonly unknown[] }): Route[] {
  return (stack as readonly Layer[]).flatMap(({ route, handle }) => {
    if (!route) return routesIn(handle)
    const methods = Object.keys(route.methods).filter((method) => method !== '_all')
    return (methods.length > 0 ? methods : ['POST']).map((method) => ({
      method: method.toUpperCase(),
      path: route.path,
    }))
  })
}
