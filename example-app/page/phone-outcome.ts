import { button, el, ornament } from './elements.js'
import type { Saying } from './language.js'
import { dayAndTime } from './moments.js'
import type { Nickname } from './nickname.js'
import type { DaySteps, Device, Outcome, Profile } from './phone-actions.js'

/** What the view of an outcome needs. */
export interface OutcomeOptions {
  nickname: Nickname
  /** Ends the session of another device. */
  onEnd: (id: string) => void
}

/** The result of a press, ready to be shown. It goes on to show the current nickname. */
export function outcomeView(outcome: Outcome, { nickname, onEnd }: OutcomeOptions): HTMLElement[] {
  switch (outcome.kind) {
    case 'login':
      return [headline((w) => w.outcome.loggedIn), loginFacts(outcome.answer)]
    case 'profile':
      return [headline((w) => w.outcome.profile), profileFacts(outcome.profile, nickname)]
    case 'nickname':
      return [
        headline((w) => w.outcome.renamed(nickname.current() ?? outcome.nickName)),
        line((w) => w.outcome.unverified),
      ]
    case 'steps':
      return [...(outcome.wasStale ? [noteView((w) => w.outcome.stale)] : []), ...stepsOf(outcome.days)]
    case 'phoneNumber':
      return [headline((w) => w.outcome.phoneNumber), el('p', { class: 'big' }, outcome.answer.phoneNumber)]
    case 'devices':
      return [headline((w) => w.outcome.devices(outcome.devices.length)), deviceList(outcome.devices, onEnd)]
    case 'logout':
      return [
        headline((w) => w.outcome.loggedOut),
        line((w) => (outcome.hadToken ? w.outcome.loggedOutMore : w.outcome.hadNoToken)),
      ]
    case 'failed':
      return failure(outcome.code, outcome.message)
  }
}

/** A line about what the client has done by itself on the way. */
export function noteView(saying: Saying): HTMLElement {
  return el('p', { class: 'aside', say: saying })
}

function headline(saying: Saying): HTMLElement {
  return el('h4', { say: saying })
}

function line(saying: Saying): HTMLElement {
  return el('p', { say: saying })
}

function facts(...rows: readonly [name: Saying, value: Saying][]): HTMLElement {
  return el('dl', {}, ...rows.flatMap(([name, value]) => [el('dt', { say: name }), el('dd', { say: value })]))
}

function loginFacts({ expiresAt, idleExpiresAt }: { expiresAt: string; idleExpiresAt: string }): HTMLElement {
  return facts(
    [(w) => w.outcome.idleUntil, () => dayAndTime(idleExpiresAt)],
    [(w) => w.outcome.atTheLatest, () => dayAndTime(expiresAt)],
  )
}

function profileFacts({ lastVisitAt, user }: Profile, nickname: Nickname): HTMLElement {
  return facts(
    [(w) => w.outcome.nickname, (w) => nickname.current() ?? w.outcome.none],
    [(w) => w.outcome.userNumber, () => `#${user.id}`],
    [(w) => w.outcome.logins, () => String(user.logins)],
    [(w) => w.outcome.lastVisit, () => dayAndTime(lastVisitAt)],
  )
}

function stepsOf(days: readonly DaySteps[]): HTMLElement[] {
  const most = Math.max(1, ...days.map(({ step }) => step))
  const today = days.at(-1)?.step ?? 0
  const bars = days.map(({ step }) => {
    const bar = el('i')
    bar.style.height = `${Math.max(3, (step / most) * 100)}%`
    return bar
  })
  const total = days.reduce((sum, { step }) => sum + step, 0)
  return [
    headline((w) => w.outcome.stepsToday),
    el('p', { class: 'big', say: (w) => w.numbers(today) }),
    ornament('bars', ...bars),
    line((w) => w.outcome.stepsInAll(w.numbers(total), days.length)),
  ]
}

function deviceList(devices: readonly Device[], onEnd: (id: string) => void): HTMLElement {
  return el('ul', { class: 'devices' }, ...devices.map((device) => deviceRow(device, onEnd)))
}

function deviceRow(
  { id, current, device, createdAt, lastVisitAt }: Device,
  onEnd: (id: string) => void,
): HTMLElement {
  const about = el(
    'div',
    {},
    el('strong', {}, device ?? `…${id.slice(-8)}`),
    el('small', { say: (w) => w.outcome.deviceTimes(dayAndTime(createdAt), dayAndTime(lastVisitAt)) }),
  )
  const end = current
    ? el('span', { class: 'badge', say: (w) => w.outcome.thisDevice })
    : button(
        'end-session',
        (w) => w.outcome.end,
        () => onEnd(id),
        'small danger',
      )
  return el('li', { data: { device: id } }, about, end)
}

function failure(code: string, message: string): HTMLElement[] {
  return [
    headline((w) => w.outcome.failed),
    el('p', {}, el('code', { class: 'error-code' }, code)),
    el('p', { say: (w) => w.errors[code] ?? message }),
  ]
}
