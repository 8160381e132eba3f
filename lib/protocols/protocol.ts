import type { WeappError } from '../errors.js'
import type { Sessions } from '../flows/sessions.js'
import type { AppSelector } from '../sessions/app-info.js'

/** A request as a protocol sees it, free of any web framework. */
export interface WireRequest {
  /** The path of the route that the request came in by, with that of its mount, such as `/v2/login`. */
  readonly mount: string
  /** The address of the client, where it is known; behind proxies by Express' `trust proxy`. */
  readonly peer: string | undefined
  /** In upper case. */
  readonly method: string
  /** Header values by lower-case name, one entry for each time the header was sent. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  /** The parts of the path that the route names, such as `id` in `/sessions/:id`. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, unknown>>
  /** The parsed JSON body of a route with `body: 'json'`; before `requireSession`, what a parser of the application has left. */
  readonly body: unknown
}

/** An answer as a protocol gives it. */
export interface WireReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; without it the answer is empty. */
  readonly body?: unknown
}

/** A route of a protocol, as {@link route} makes it. */
export interface ProtocolRoute {
  /** `all` answers every method. */
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'all'
  readonly path: string
  readonly body: 'json' | 'none'
  answer(sessions: Sessions, request: WireRequest): Promise<WireReply>
  /** How a failure of this route is answered, where that differs from the protocol's `writeError`. */
  readonly writeError?: Protocol['writeError'] | undefined
}

/** How one kind of client speaks: where its requests carry what, and how it wants to be answered. Pure: text in, text out. */
export interface Protocol {
  /** What `loginRouter` mounts. */
  readonly routes: readonly ProtocolRoute[]
  /** The token that a request carries, undefined when it carries none. Never taken from the query string. */
  readToken(request: WireRequest): string | undefined
  /** The app that a request names, where its token alone is not to be enough. */
  readApp?(request: WireRequest): AppSelector | undefined
  /** How a failure is answered, a missing session among them. */
  writeError(error: WeappError): WireReply
}

/** The parts of a route: decode the request, run a use case, encode the result. */
export interface RouteParts<Input, Result> {
  readonly method: ProtocolRoute['method']
  readonly path: string
  /** `json`: the body is parsed as JSON whatever its content type says. Default `none`: it is not looked at. */
  readonly body?: ProtocolRoute['body']
  read(request: WireRequest): Input
  run(sessions: Sessions, input: Input): Promise<Result>
  write(result: Result): WireReply
  /** How a failure of this route is answered. Default: the protocol's `writeError`. */
  readonly writeError?: Protocol['writeError']
}

/**
 * Makes a route from its parts.
 *
 * @example
 * route({
 *   method: 'post',
 *   path: '/login',
 *   body: 'json',
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
    writeError: parts.writeError,
    answer: async (sessions, request) => parts.write(await parts.run(sessions, parts.read(request))),
  }
}
