import { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { addressIn } from '../flows/authenticate.js'
import { FailureLog } from '../flows/failure-log.js'
import { type Logger, loggerOption } from '../logger.js'
import { booleanOption, checkOptionNames, optionalFunction, positiveInteger, textOption } from '../options.js'
import { jsonObject, textField } from '../protocols/json-fields.js'
import { route, type WireRequest } from '../protocols/protocol.js'
import { createIssueToken, type ServiceTokenClaims } from '../service-tokens/issue-token.js'
import { readSigningKeys } from '../service-tokens/signing-keys.js'
import type { ServiceTokenKey } from '../service-tokens/token-keys.js'
import { readJsonBody } from './json-body.js'
import { MOUNT_OPTION_NAMES, type MountOptions, readMountOptions } from './mount-options.js'
import { handleOtherMethods } from './other-methods.js'
import { HttpWireRequest, sendError, sendReply } from './wire.js'

const DEFAULT_LIFETIME_SECONDS = 300
const MOST_LIFETIME_SECONDS = 900
/** How long anybody may keep the public keys: a new key has to be published this much before it signs. */
const KEY_SET_SECONDS = 300

/** Options of {@link serviceTokens}. */
export interface ServiceTokensOptions extends MountOptions {
  /** Who issues the tokens, their `iss`: the https address of this back end, or any other name. */
  issuer: string
  /** The services that tokens may be for. Each token is for one of them, in its `aud`. */
  audiences: readonly string[]
  /**
   * The keys. The first one signs; all are published, so a key can be published before it signs and stay
   * while its tokens live. Those behind the first may be public keys.
   */
  keys: readonly ServiceTokenKey[]
  /** How long a token lives, in seconds, 900 at most; never longer than its session. Default 300. */
  lifetimeSeconds?: number
  /** Whether tokens have the `openid` of the user and the `appid` that it belongs to. Default false. */
  openid?: boolean
  /** Whether tokens have the `unionid` of the user, where there is one. Default false. */
  unionid?: boolean
  /** What else tokens say. Default: nothing. */
  claims?: ServiceTokenClaims
  /** For a hook that fails. Default: stderr. */
  logger?: Logger
  /** For tests. Default: `Date.now`. */
  clock?: Clock
}

/**
 * Returns an Express router that gives a live session short-lived JWTs for other services: `POST /token` with
 * `{ audience }`, which may be left out where there is one, returns `{ token, expiresAt }`;
 * `GET /.well-known/jwks.json` returns the public keys. A token cannot be taken back: it lives on for its few
 * minutes after a logout.
 *
 * `POST /token` fails as `requireSession` does, with `ERR_REQUEST_INVALID` for another audience, and with
 * `ERR_HOOK_FAILED` if `claims` fails. Throws a `TypeError` for wrong options. See RFC 7519 (JWT), RFC 7515
 * (its signature) and RFC 7517 (the public keys).
 *
 * @example
 * app.use(
 *   serviceTokens({
 *     sessions,
 *     issuer: 'https://app.example.com',
 *     audiences: ['orders'],
 *     keys: [process.env.TOKEN_KEY],
 *   }),
 * )
 */
export function serviceTokens(options: ServiceTokensOptions): Router {
  const { sessions, protocol, audiences, issueToken, jwks } = readOptions(options)

  const token = route({
    method: 'post',
    path: '/token',
    body: 'json',
    read: (request) => ({
      presented: protocol.readToken(request),
      audience: audienceIn(request, audiences),
      request,
    }),
    async run(_sessions, { presented, audience, request }) {
      const session = await sessions.authenticate(presented, { appid: protocol.readApp?.(request) })
      return issueToken({ session, handle: addressIn(presented).handle, audience })
    },
    write: (issued) => ({ status: 200, body: issued }),
  })
  const keySet = route({
    method: 'get',
    path: '/.well-known/jwks.json',
    read: () => undefined,
    run: async () => jwks,
    write: (body) => ({
      status: 200,
      headers: {
        'Content-Type': 'application/jwk-set+json',
        'Cache-Control': `public, max-age=${KEY_SET_SECONDS}`,
      },
      body,
    }),
  })
  // Secrets have nothing to publish.
  const routes = jwks ? [token, keySet] : [token]

  function handlerOf({ path, body, handle }: (typeof routes)[number]): RequestHandler {
    return async function handleRoute(req: Request, res: Response, next) {
      try {
        const sent = body === 'json' ? await readJsonBody(req, res) : undefined
        sendReply(res, await handle(sessions, new HttpWireRequest(req, path, sent)))
      } catch (error) {
        sendError(error, protocol, res, next)
      }
    }
  }

  const router = Router()
  for (const one of routes) router[one.method](one.path, handlerOf(one))
  handleOtherMethods(router, { ...protocol, routes })
  return router
}

function readOptions(options: ServiceTokensOptions) {
  checkOptionNames<ServiceTokensOptions>('serviceTokens', options, {
    ...MOUNT_OPTION_NAMES,
    issuer: true,
    audiences: true,
    keys: true,
    lifetimeSeconds: true,
    openid: true,
    unionid: true,
    claims: true,
    logger: true,
    clock: true,
  })
  const { lifetimeSeconds = DEFAULT_LIFETIME_SECONDS, clock = systemClock } = options
  const { signing, jwks } = readSigningKeys('serviceTokens: keys', options.keys)
  const failureLog = new FailureLog(
    loggerOption('serviceTokens: logger', options.logger),
    optionalFunction('serviceTokens: clock', clock),
  )
  const issueToken = createIssueToken({
    issuer: textOption('serviceTokens: issuer', options.issuer),
    key: signing,
    lifetimeSeconds: positiveInteger(
      'serviceTokens: lifetimeSeconds',
      lifetimeSeconds,
      MOST_LIFETIME_SECONDS,
    ),
    openid: booleanOption('serviceTokens: openid', options.openid ?? false),
    unionid: booleanOption('serviceTokens: unionid', options.unionid ?? false),
    claims: optionalFunction('serviceTokens: claims', options.claims),
    failureLog,
    clock,
  })
  const audiences = readAudiences(options.audiences)
  return { ...readMountOptions('serviceTokens', options), audiences, issueToken, jwks }
}

function readAudiences(given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError('serviceTokens: audiences must be an array of one or more names of services')
  }
  const audiences = given.map((one, index) => textOption(`serviceTokens: audiences[${index}]`, one))
  if (new Set(audiences).size === audiences.length) return audiences
  throw new TypeError('serviceTokens: audiences must not name a service twice')
}

function audienceIn(request: WireRequest, audiences: readonly string[]): string {
  const asked = request.body === undefined ? undefined : textField(jsonObject(request), 'audience')
  const [only, ...others] = audiences
  if (asked === undefined && only !== undefined && others.length === 0) return only
  if (asked !== undefined && audiences.includes(asked)) return asked
  throw new WeappError(
    'ERR_REQUEST_INVALID',
    asked === undefined
      ? '"audience" is missing: name the service that the token is for.'
      : '"audience" is not a service that tokens are issued for.',
  )
}
