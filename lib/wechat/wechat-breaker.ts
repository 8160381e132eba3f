import { Breaker } from '../breaker.js'
import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { RequestTurnedAway } from './transport.js'

/** So many calls in a row that fail open the breaker: fewer may fail by chance when WeChat stumbles. */
const FAILURES_IN_A_ROW = 10
const FIRST_PAUSE_MS = 1000
/** At most so long after WeChat works again, a call shows it. */
const LONGEST_PAUSE_MS = 5000

interface WechatBreakerParts {
  readonly clock?: Clock
  /** Told when it opens, with the line for the log. */
  readonly onOpen?: (line: string) => void
  /** Told when it closes, with the line for the log. */
  readonly onClose?: (line: string) => void
}

/**
 * Returns a breaker for the calls to a host. While it is open they throw `ERR_WECHAT_UNREACHABLE` at once:
 * nothing is sent, so a login code stays good. A call that WeChat refuses, by an errcode, is no failure.
 */
export function createWechatBreaker({
  clock = systemClock,
  onOpen,
  onClose,
}: WechatBreakerParts = {}): Breaker {
  return new Breaker({
    failuresInARow: FAILURES_IN_A_ROW,
    firstPauseMs: FIRST_PAUSE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
    clock,
    // Nobody opens it by codes that a firewall in front of WeChat turns away. What is no WeappError is a bug.
    isFailure: (error) => error instanceof WeappError && !(error instanceof RequestTurnedAway),
    refusal: ({ lastFailure, probeInMs }) =>
      new WeappError('ERR_WECHAT_UNREACHABLE', 'WeChat is unreachable at the moment. Please try again.', {
        hint: `WeChat is only probed for now: ${whyOf(lastFailure)}`,
        retryAfterSeconds: Math.max(1, Math.ceil(probeInMs / 1000)),
      }),
    onOpen: (failure) => onOpen?.(`WeChat fails, so it is only probed for now: ${whyOf(failure)}`),
    onClose: () => onClose?.('WeChat works again'),
  })
}

function whyOf(failure: unknown): string {
  const { code, hint } = failure as WeappError
  return `${FAILURES_IN_A_ROW} calls in a row have failed, the last one with ${code}${hint ? ` (${hint})` : ''}`
}
