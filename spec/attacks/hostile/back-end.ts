import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Router } from 'express'
import {
  asyncHandler,
  loginRouter,
  problemHandler,
  requireSession,
  type Sessions,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../../lib/index.js'
import type { Route } from './any-request.js'

/** An application with all that the package mounts. */
export interface BackEnd {
  readonly port: number
  readonly routes: readonly Route[]
  /** What reached the error handler of the application, but for what its parsers refuse. */
  readonly bugs: unknown[]
  close(): Promise<void>
}

/** The routers of the package, and where they are mounted. A new one is attacked once it stands here. */
function routersOf(sessions: Sessions): readonly (readonly [at: string, router: Router])[] {
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
    ['/guarded', guardedRoutes(sessions)],
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

export async function openBackEnd(sessions: Sessions): Promise<BackEnd> {
  const bugs: unknown[] = []
  const routers = routersOf(sessions)
  const app = express()
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
  const server = createServer({ maxHeaderSize: 16 * 1024 }, app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    routes: routers.flatMap(([at, router]) =>
      routesIn(router).map(({ method, path }) => ({ method, path: at + path })),
    ),
    bugs,
    async close() {
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
