import type { WeappError } from '../errors.js'
import type { Sessions } from '../flows/sessions.js'
import type { AppSelector } from '../sessions/app-info.js'

/** A request as a protocol sees it, independent of any web framework. */
export interface WireRequest {
  /** The path of the route with that of its mount, such as `/v2/login`. */
  readonly mount: string
  /** The client's address, where it is known; behind proxies according to Express's `trust proxy`. */
  readonly peer: string | undefined
  /** In upper case. */
  readonly method: string
  /** Header values by lowercase name, one entry for each time the header was sent. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  /** The path parameters of the route, such as `id` in `/sessions/:id`. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, unknown>>
  /** The JSON body of a route with `body: 'json'`; for `requireSession`, what a body parser left. */
  readonly body: unknown
}

/** A response as a protocol returns it. */
export interface WireReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; without it the response is empty. */
  readonly body?: unknown
}

/** What the limits of logins have to know of a request that logs somebody in. */
export interface LoginAttempt {
  /** The app that it names; undefined: none, as there may be only one. */
  readonly app?: AppSelector | undefined
  /** The token of the session that it renews: the app is then that of the session, whatever `app` says. */
  readonly renewedToken?: string | undefined
  /** Whether a back end sends it for its phones, so that its address is no client's. Default false. */
  readonly isFromBackEnd?: boolean | undefined
}

/** A route of a protocol, as returned by {@link route}. */
export interface ProtocolRoute {
  /** `all` matches every method. */
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'all'
  readonly path: string
  readonly body: 'json' | 'none'
  /** Marks a route that logs in: `loginRouter` limits it. Returns undefined for a request that does not. */
  readonly login?: ((request: WireRequest) => LoginAttempt | undefined) | undefined
  handle(sessions: Sessions, request: WireRequest): Promise<WireReply>
  /** Writes a failure of this route, where that differs from the protocol's `writeError`. */
  readonly writeError?: Protocol['writeError'] | undefined
}

/** How one kind of client talks: what its requests carry where, and which responses it expects. No I/O. */
export interface Protocol {
  /** What `loginRouter` mounts. */
  readonly routes: readonly ProtocolRoute[]
  /** Returns the token that a request carries, or undefined. Never taken from the query string. */
  readToken(request: WireRequest): string | undefined
  /** Returns the app that a request names, where the token alone is not enough. */
  readApp?(request: WireRequest): AppSelector | undefined
  /** Writes a failure, including a missing session. */
  writeError(error: WeappError): WireReply
}

/** The parts of a route: decode the request, run a use case, encode the result. */
export interface RouteParts<Input, Result> {
  readonly method: ProtocolRoute['method']
  readonly path: string
  /** `json`: the body is parsed as JSON whatever its content type. Default `none`: it is ignored. */
  readonly body?: ProtocolRoute['body']
  /**
   * Marks a route that logs in, so that `loginRouter` limits it: `() => ({})` where there is one app. Returns
   * undefined for a request that does not log in. Default: the route does not, and has no limit.
   */
  readonly login?: (request: WireRequest) => LoginAttempt | undefined
  read(request: WireRequest): Input
  run(sessions: Sessions, input: Input): Promise<Result>
  write(result: Result): WireReply
  /** Writes a failure of this route. Default: the protocol's `writeError`. */
  readonly writeError?: Protocol['writeError']
}

/**
 * Creates a route from its parts.
 *
 * @example
 * route({
 *   method: 'post',
 *   path: '/login',
 *   body: 'json',
 *   login: () => ({}),
 *   read: (request) => ({ code: String((request.body as { code?: unknown }).code) }),
 *   run: (sessions, login) => sessions.login(login),
 *   write: ({ token }) => ({ status: 200, body: { token } }),
 * })
 */
export function route<Input, Result>(parts: RouteParts<Input, Result>): ProtocolRoute {
  const { method, path, body = 'none' } = parts
  return {
    method,
    path,
    body,
    login: parts.login,
    writeError: parts.writeError,
    handle: async (sessions, request) => parts.write(await parts.run(sessions, parts.read(request))),
  }
}

/** Returns the token that a login brings along, if any. A malformed one does not prevent the login. */
export function presentedToken(read: () => string | undefined): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
