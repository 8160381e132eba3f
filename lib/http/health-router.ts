import { type RequestHandler, Router } from 'express'
import type { Sessions } from '../flows/sessions.js'
import { checkOptionNames, objectWithMethods } from '../options.js'
import { problemReply } from '../protocols/problem.js'
import { defaultSessions } from './default-sessions.js'
import { handleOtherMethods } from './other-methods.js'
import { sendError, sendReply } from './wire.js'

/** Options of {@link healthRouter}. */
export interface HealthRouterOptions {
  /** The sessions whose health is told. Default: those of `defaultSessions()`, from the environment. */
  sessions?: Sessions
}

const WORDS = { writeError: problemReply }
const ROUTES = [
  { method: 'get', path: '/healthz' },
  { method: 'get', path: '/readyz' },
] as const

/**
 * Returns an Express router for the probes of an orchestrator or a load balancer:
 *
 * - `GET /healthz`: 200 as long as the process can answer at all. It asks nobody: a Redis that is down is no
 *   reason to restart every process.
 * - `GET /readyz`: 200 while a login could be written, 503 while not, and from the beginning of the shutdown.
 *   The body is what `sessions.health()` returns. WeChat is told there, and not required.
 *
 * Both are answered within `storeTimeoutMs`, and no cache stores them. Any number of probes asks the store
 * once a second. Other methods are `ERR_METHOD_NOT_ALLOWED`. Wrong options throw a `TypeError`.
 *
 * Source: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 *
 * @example
 * app.use(healthRouter({ sessions }))
 *
 * // Kubernetes, in the container of a Deployment:
 * //   livenessProbe:  { httpGet: { path: /healthz, port: 3000 }, periodSeconds: 10, timeoutSeconds: 2 }
 * //   readinessProbe: { httpGet: { path: /readyz, port: 3000 }, periodSeconds: 2, timeoutSeconds: 2 }
 * // Docker, in a Dockerfile; it does not restart by itself:
 * //   HEALTHCHECK --interval=5s --timeout=2s CMD wget -qO- http://127.0.0.1:3000/readyz || exit 1
 */
export function healthRouter(options: HealthRouterOptions = {}): Router {
  checkOptionNames<HealthRouterOptions>('healthRouter', options, { sessions: true })
  const sessions = objectWithMethods(
    'healthRouter: sessions',
    options.sessions ?? defaultSessions(),
    ['health'],
    'what createSessions() returns',
  )

  const tellAlive: RequestHandler = function tellAlive(_req, res) {
    sendReply(res, { status: 200, body: { isAlive: true } })
  }
  const tellReady: RequestHandler = async function tellReady(_req, res, next) {
    try {
      const health = await sessions.health()
      sendReply(res, { status: health.isReady ? 200 : 503, body: health })
    } catch (error) {
      sendError(error, WORDS, res, next)
    }
  }

  const router = Router()
  router.get('/healthz', tellAlive)
  router.get('/readyz', tellReady)
  handleOtherMethods(router, { ...WORDS, routes: ROUTES })
  return router
}
