import type { Clock } from '../clock.js'
import type { FailureLog } from './failure-log.js'
import { callHook, HOOK_TIMEOUT_MS } from './hooks.js'

/** What an operator can do. */
export type AdminAction = 'list' | 'find' | 'revoke' | 'revokeUser' | 'revokeApp' | 'revokeAll' | 'forgetUser'

/** Whom an action is about: an app, a user of it, a session, or all users of all apps. */
export type AuditedWhom =
  | {
      /** Undefined only where no session has the id. */
      readonly appid?: string | undefined
      readonly openid?: string | undefined
      readonly sessionId?: string | undefined
    }
  | 'everybody'

/** What `onAudit` gets. Frozen; it holds no token and no session_key. */
export interface AuditEvent {
  /**
   * `denied`: `authorize` did not allow it. `begin`: it is about to be done. `done` and `failed` follow it;
   * what failed may have been done in part. After a `begin` that throws or takes too long nothing follows.
   */
  readonly phase: 'denied' | 'begin' | 'done' | 'failed'
  /** What `authorize` returned; undefined when denied. */
  readonly who: string | undefined
  readonly action: AdminAction
  /** Undefined when denied: the request has not been read. */
  readonly whom: AuditedWhom | undefined
  readonly at: Date
  /** How many sessions were ended, or shown; with `done` only, and not of `forgetUser`. */
  readonly count: number | undefined
}

/**
 * Told of each action of an operator, of reading, too. `begin` is awaited, at most 5 seconds: if it throws or
 * takes longer, nothing is done, and the operator gets `ERR_HOOK_FAILED`, or the `WeappError` that it threw.
 * When it throws later, the log is told.
 *
 * @example
 * const onAudit = (event) => audits.insert(event)
 */
export type OnAudit = (event: AuditEvent) => unknown

/** An action, before it is done. */
export type Deed = Pick<AuditEvent, 'action' | 'whom'> & { readonly who: string }

type Told = Omit<AuditEvent, 'at' | 'count'> & { readonly count?: number | undefined }

interface AuditParts {
  readonly onAudit: OnAudit
  readonly failureLog: FailureLog
  readonly clock: Clock
  readonly timeoutMs?: number | undefined
}

/** Tells `onAudit` what operators do. */
export class Audit {
  readonly #parts: AuditParts

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  async denied(action: AdminAction): Promise<void> {
    await this.#tellAfter({ phase: 'denied', who: undefined, action, whom: undefined })
  }

  /** Runs an action that `onAudit` has been told of. Throws `ERR_HOOK_FAILED` when it could not be told. */
  async run<T>(deed: Deed, work: () => Promise<T>, countOf: (result: T) => number | undefined): Promise<T> {
    await this.#tell({ ...deed, phase: 'begin' })
    let result: T
    try {
      result = await work()
    } catch (error) {
      await this.#tellAfter({ ...deed, phase: 'failed' })
      throw error
    }
    await this.#tellAfter({ ...deed, phase: 'done', count: countOf(result) })
    return result
  }

  async #tell(event: Told): Promise<void> {
    const { onAudit, failureLog, clock, timeoutMs = HOOK_TIMEOUT_MS } = this.#parts
    const { phase, who, action, whom, count } = event
    const told = Object.freeze({
      phase,
      who,
      action,
      whom: Object.freeze(whom),
      at: new Date(clock()),
      count,
    })
    await callHook('onAudit', async () => onAudit(told), failureLog, timeoutMs)
  }

  /** What has happened cannot be undone: a failure is told to the log only. */
  async #tellAfter(event: Told): Promise<void> {
    try {
      await this.#tell(event)
    } catch {
      this.#parts.failureLog.reportFault(`onAudit could not be told: ${event.action} is ${event.phase}`)
    }
  }
}
