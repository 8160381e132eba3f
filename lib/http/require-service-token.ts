import type { Agent } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { type Logger, loggerOption } from '../logger.js'
import {
  booleanOption,
  checkOptionNames,
  httpAddress,
  oneOf,
  optionalFunction,
  positiveInteger,
  textOption,
  wholeNumber,
} from '../options.js'
import { problemReply } from '../protocols/problem.js'
import { ALGORITHMS, ASYMMETRIC, type ServiceTokenAlgorithm } from '../service-tokens/algorithms.js'
import { createFetchKeySet } from '../service-tokens/fetch-key-set.js'
import { JwksClient } from '../service-tokens/jwks-client.js'
import { RefusalLog, refusedToken } from '../service-tokens/refusals.js'
import { readTokenKeys, type ServiceTokenKey } from '../service-tokens/token-keys.js'
import { createVerifyToken, type FindKey } from '../service-tokens/verify-token.js'
import { agentOption } from '../wechat/transport.js'
import { attachServiceToken, detachServiceToken } from './request.js'
import { HttpWireRequest, isResponding, sendError } from './wire.js'

const BEARER = /^Bearer +(.*)$/i
const REFRESH_MS = 300_000
const MOST_TIMEOUT_MS = 10_000
const MOST_TOLERANCE_SECONDS = 60
const MOST_STALE_SECONDS = 86_400

/** Options of {@link requireServiceToken}. */
export interface RequireServiceTokenOptions {
  /** The `issuer` of `serviceTokens`. */
  issuer: string
  /** The name of this service, one of the `audiences` of `serviceTokens`. */
  audience: string
  /** Where the issuer publishes its keys, an https address. Either this or `keys`. */
  jwksUri?: string
  /** The public keys of the issuer, or the secrets for HS256. Either this or `jwksUri`. */
  keys?: readonly ServiceTokenKey[]
  /** The algorithms that are allowed. Default: those of `keys`; with `jwksUri` all but HS256. */
  algorithms?: readonly ServiceTokenAlgorithm[]
  /** How far the clocks of issuer and service may be apart, in whole seconds, 0 to 60. Default 5. */
  clockToleranceSeconds?: number
  /** The deadline for fetching the keys, in whole milliseconds, 10000 at most. Default 3000. */
  timeoutMs?: number
  /**
   * How long known keys serve beyond their five minutes while they cannot be fetched, in whole seconds, 0 to
   * 86400. Default 3600.
   */
  maxStaleSeconds?: number
  /**
   * Whether `jwksUri` may be http, in a private network: whoever can change the response can be any user
   * there. Default false.
   */
  allowHttp?: boolean
  /**
   * The Agent of `node:http` or `node:https` for fetching the keys, such as that of a forward proxy. You
   * close it.
   */
  agent?: Agent
  /** Whether a request without a token may pass, with `req.serviceToken` undefined. Default false. */
  optional?: boolean
  /** For refused tokens and keys that cannot be fetched. Default: stderr. */
  logger?: Logger
  /** For tests. Default: `Date.now`. */
  clock?: Clock
}

/**
 * Returns middleware for another service: a request passes only with a service token for it in
 * `Authorization: Bearer`. Sets `req.serviceToken`, `req.openid` if the token has it, and
 * `Cache-Control: no-store`, which a handler may replace. A missing token is `ERR_SERVICE_TOKEN_MISSING`, a
 * wrong one `ERR_SERVICE_TOKEN_INVALID`, and the response does not say what is wrong with it; keys that
 * cannot be fetched are `ERR_SERVICE_KEYS_UNAVAILABLE`, a 503. Throws a `TypeError` for wrong options. See
 * RFC 7519 and RFC 8725.
 *
 * @example
 * const guard = requireServiceToken({
 *   issuer: 'https://app.example.com',
 *   audience: 'orders',
 *   jwksUri: 'https://app.example.com/.well-known/jwks.json',
 * })
 * app.get('/orders', guard, (req, res) => res.json(ordersOf(req.serviceToken.sub)))
 */
export function requireServiceToken(options: RequireServiceTokenOptions): RequestHandler {
  const { verifyToken, refusals, isOptional } = readOptions(options)

  return async function checkServiceToken(req: Request, res: Response, next: NextFunction): Promise<void> {
    try {
      detachServiceToken(req)
      const token = tokenIn(req)
      if (token === undefined && !isOptional) throw missingToken()
      const serviceToken = token === undefined ? undefined : await verifyToken(token)
      if (isResponding(res)) return
      res.setHeader('Cache-Control', 'no-store')
      if (serviceToken) attachServiceToken(req, serviceToken)
    } catch (error) {
      refusals.report(error)
      return sendError(error, { writeError: problemReply }, res, next)
    }
    next()
  }
}

/** Returns what stands behind `Bearer`. */
function tokenIn(req: Request): string | undefined {
  const [value = '', ...others] = new HttpWireRequest(req, '').headers.authorization ?? []
  if (others.length > 0) throw refusedToken('Authorization was sent twice')
  return BEARER.exec(value)?.[1]
}

function missingToken(): WeappError {
  return new WeappError(
    'ERR_SERVICE_TOKEN_MISSING',
    'Missing token. Send a token for this service in Authorization: Bearer.',
  )
}

function readOptions(options: RequireServiceTokenOptions) {
  const where = 'requireServiceToken'
  checkOptionNames<RequireServiceTokenOptions>(where, options, {
    issuer: true,
    audience: true,
    jwksUri: true,
    keys: true,
    algorithms: true,
    clockToleranceSeconds: true,
    timeoutMs: true,
    maxStaleSeconds: true,
    allowHttp: true,
    agent: true,
    optional: true,
    logger: true,
    clock: true,
  })
  const { clock = systemClock, clockToleranceSeconds = 5 } = options
  const logger = loggerOption(`${where}: logger`, options.logger)
  optionalFunction(`${where}: clock`, clock)
  const expected = {
    issuer: textOption(`${where}: issuer`, options.issuer),
    audience: textOption(`${where}: audience`, options.audience),
    clockToleranceSeconds: wholeNumber(
      `${where}: clockToleranceSeconds`,
      clockToleranceSeconds,
      MOST_TOLERANCE_SECONDS,
    ),
  }
  const { findKey, usable } = keySource(where, options, clock, logger)
  const algorithms = readAlgorithms(where, options.algorithms, usable)
  return {
    verifyToken: createVerifyToken({ findKey, algorithms, expected, clock }),
    refusals: new RefusalLog(logger, clock),
    isOptional: booleanOption(`${where}: optional`, options.optional ?? false),
  }
}

interface KeySource {
  readonly findKey: FindKey
  /** The algorithms that its keys may have. */
  readonly usable: readonly ServiceTokenAlgorithm[]
}

function keySource(
  where: string,
  options: RequireServiceTokenOptions,
  clock: Clock,
  logger: Logger,
): KeySource {
  const { jwksUri, keys, allowHttp = false, timeoutMs = 3000, maxStaleSeconds = 3600 } = options
  booleanOption(`${where}: allowHttp`, allowHttp)
  positiveInteger(`${where}: timeoutMs`, timeoutMs, MOST_TIMEOUT_MS)
  wholeNumber(`${where}: maxStaleSeconds`, maxStaleSeconds, MOST_STALE_SECONDS)
  if ((jwksUri === undefined) === (keys === undefined)) {
    throw new TypeError(`${where}: give either jwksUri or keys`)
  }
  if (keys !== undefined) {
    const known = readTokenKeys(`${where}: keys`, keys)
    if (known.some(({ key }) => key.type === 'private')) {
      throw new TypeError(
        `${where}: keys must be public keys or secrets: a private key stays with the issuer`,
      )
    }
    const byKid = new Map(known.map((key) => [key.kid, key]))
    return { findKey: (kid) => byKid.get(kid), usable: known.map(({ alg }) => alg) }
  }
  const uri = httpAddress(`${where}: jwksUri`, jwksUri)
  if (uri.protocol !== 'https:' && !allowHttp) {
    throw new TypeError(`${where}: jwksUri must be https; allowHttp: true permits http in a private network`)
  }
  if (uri.username || uri.password) throw new TypeError(`${where}: jwksUri must not hold a password`)
  const agent = agentOption(`${where}: agent`, options.agent, uri)
  const client = new JwksClient({
    fetchKeySet: createFetchKeySet({ uri, timeoutMs, agent }),
    host: uri.host,
    refreshMs: REFRESH_MS,
    maxStaleMs: maxStaleSeconds * 1000,
    clock,
    logger,
  })
  return { findKey: (kid) => client.find(kid), usable: ASYMMETRIC }
}

function readAlgorithms(
  where: string,
  given: unknown,
  usable: readonly ServiceTokenAlgorithm[],
): readonly ServiceTokenAlgorithm[] {
  if (given === undefined) return usable
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError(`${where}: algorithms must be an array of one or more of ${usable.join(', ')}`)
  }
  const algorithms = given.map((one, index) => oneOf(`${where}: algorithms[${index}]`, one, ALGORITHMS))
  const odd = algorithms.find((one) => !usable.includes(one))
  if (odd === undefined) return algorithms
  throw new TypeError(
    `${where}: algorithms has ${odd}, for which there is no key; possible: ${usable.join(', ')}`,
  )
}
