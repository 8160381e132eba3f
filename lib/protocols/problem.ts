import type { ErrorCode, WeappError } from '../errors.js'
import type { WireReply } from './protocol.js'

/** The body of a failure: RFC 9457 problem details, and the stable `code`. */
export interface Problem {
  /** Names the kind of problem; one for each code. */
  readonly type: string
  readonly title: string
  readonly status: number
  /** What happened and what to do, for a person. */
  readonly detail: string
  /** For programs. Its meaning stands in docs/error-codes.md. */
  readonly code: ErrorCode
}

/** A failure as `application/problem+json`, with the headers that belong to it. */
export function problemReply(error: WeappError): WireReply {
  const { code, title, status, message: detail, headers } = error
  const body: Problem = { type: `urn:weapp-session:${code}`, title, status, detail, code }
  return { status, headers: { ...headers, 'Content-Type': 'application/problem+json' }, body }
}
