import type { ErrorCode, WeappError } from '../errors.js'
import type { WireReply } from './protocol.js'

/** The body of a failure: RFC 9457 problem details with the stable `code`. */
export interface Problem {
  /** Identifies the kind of problem; one for each code. */
  readonly type: string
  readonly title: string
  readonly status: number
  /** What happened and what to do, for a person. */
  readonly detail: string
  /** For programs. docs/error-codes.md explains each. */
  readonly code: ErrorCode
}

export function problemReply(error: WeappError): WireReply {
  const { code, title, status, message: detail, headers } = error
  const body: Problem = { type: `urn:weapp-session:${code}`, title, status, detail, code }
  return { status, headers: { ...headers, 'Content-Type': 'application/problem+json' }, body }
}
