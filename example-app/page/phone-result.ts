import { el, setAttribute } from './elements.js'
import type { Saying } from './language.js'
import type { Nickname } from './nickname.js'
import { failureIn, type Outcome } from './phone-actions.js'
import { noteView, outcomeView } from './phone-outcome.js'
import type { PhoneName, RequestLog } from './request-log.js'

/** The part of a phone's screen that shows the result of a press. */
export interface PhoneResult {
  readonly element: HTMLElement
  /** Runs the action of a button, and shows its result. */
  run(what: Saying, action: () => Promise<Outcome>): Promise<void>
}

/** What the result needs of its phone. */
export interface PhoneResultOptions {
  name: PhoneName
  log: RequestLog
  nickname: Nickname
  token: () => string
  onEnd: (id: string) => void
}

export function createPhoneResult(options: PhoneResultOptions): PhoneResult {
  const { name, log, token } = options
  const element = el(
    'div',
    { class: 'result', attrs: { 'aria-live': 'polite', tabindex: '-1' }, data: { result: '' } },
    el('p', { class: 'busy', say: (w) => w.phone.ready }),
  )
  let running = 0
  let newest = 0
  let shownCode = 'ok'

  function showBusy(what: Saying): void {
    setAttribute(element, 'aria-busy', 'true')
    setAttribute(element, 'data-outcome', undefined)
    setAttribute(element, 'data-failed', undefined)
    element.replaceChildren(el('p', { class: 'busy', say: (w) => w.phone.busy(what(w)) }))
  }

  function show(outcome: Outcome, note: Saying | undefined): void {
    shownCode = outcome.kind === 'failed' ? outcome.code : 'ok'
    element.replaceChildren(...(note ? [noteView(note)] : []), ...outcomeView(outcome, options))
    setAttribute(element, 'data-failed', outcome.kind === 'failed' ? '' : undefined)
  }

  /** What the client has done by itself; the user of a mini-program never notices. */
  function noteOn(outcome: Outcome, before: string): Saying | undefined {
    const isOwnLogin = outcome.kind === 'login' || (outcome.kind === 'steps' && outcome.wasStale)
    if (isOwnLogin || !token() || token() === before) return undefined
    return before ? (w) => w.outcome.loggedInAgain : (w) => w.outcome.loggedInFirst
  }

  return {
    element,
    /** Presses may overlap, as on a real phone: the newest one is shown. */
    async run(what, action) {
      newest += 1
      running += 1
      const turn = newest
      const before = token()
      const hadFocus = element.contains(document.activeElement)
      const closeInLog = log.open(name, what)
      showBusy(what)
      // The pressed button may have been in the result.
      if (hadFocus) element.focus({ preventScroll: true })
      const outcome = await action().catch(failureIn)
      closeInLog()
      running -= 1
      if (turn === newest) show(outcome, noteOn(outcome, before))
      if (running > 0) return
      setAttribute(element, 'aria-busy', undefined)
      setAttribute(element, 'data-outcome', shownCode)
    },
  }
}
