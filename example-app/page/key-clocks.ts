import { el, ornament, type Shape, setAttribute } from './elements.js'
import { type Saying, say, words } from './language.js'
import { countdown, dayAndTime } from './moments.js'
import type { Nickname } from './nickname.js'
import type { UserSession, World } from './page-state.js'
import type { PhoneName } from './request-log.js'
import { canDigest } from './session-of-token.js'

/** What the store holds of the user: the sessions with their clocks, and the profile. */
export interface KeyClocks {
  readonly element: HTMLElement
  /** Draws the sessions again. */
  update(): void
  /** Moves the clocks. */
  tick(): void
}

interface Clock {
  readonly element: HTMLElement
  tick(now: number): boolean
}

interface Card {
  readonly element: HTMLElement
  tick(now: number): void
}

/** What the view of the store needs of the page. */
export interface KeyClocksOptions {
  world: World
  nickname: Nickname
  /** Tells which phone holds the token of a session, where the page knows. */
  holderOf: (id: string) => PhoneName | undefined
}

export function createKeyClocks({ world, nickname, holderOf }: KeyClocksOptions): KeyClocks {
  const empty = el('p', { class: 'keys-empty', say: (w) => w.keys.empty })
  const list = el('ul', { class: 'key-cards' })
  const element = el(
    'section',
    { class: 'card keys', label: (w) => w.keys.heading },
    el('div', { class: 'card-head' }, el('h2', { say: (w) => w.keys.heading })),
    el('p', { class: 'hint', say: (w) => w.keys.hint }),
    list,
    empty,
    el('p', { class: 'key-profile', say: (w) => w.keys.profile(nickname.current()) }),
    el(
      'details',
      {},
      el('summary', { say: (w) => w.keys.twoClocks }),
      el(
        'dl',
        { class: 'clock-words' },
        el('dt', { say: (w) => w.keys.idle }),
        el('dd', { say: (w) => w.keys.idleMeans }),
        el('dt', { say: (w) => w.keys.absolute }),
        el('dd', { say: (w) => w.keys.absoluteMeans }),
      ),
    ),
  )
  let cards: Card[] = []
  let drawn = ''

  function draw(sessions: readonly UserSession[], idleSeconds: number): void {
    cards = sessions.map((session) => keyCard(session, idleSeconds, holderOf(session.id)))
    list.replaceChildren(...cards.map((card) => card.element))
  }

  function tick(): void {
    const now = world.now()
    for (const card of cards) card.tick(now)
  }

  return {
    element,
    update() {
      const state = world.state()
      const sessions = state?.sessions ?? []
      const drawing = JSON.stringify(sessions.map((session) => [session, holderOf(session.id)]))
      if (drawing !== drawn) draw(sessions, state?.sessionDurationSeconds ?? 1)
      drawn = drawing
      empty.hidden = !state || sessions.length > 0
      tick()
    },
    tick,
  }
}

function keyCard(session: UserSession, idleSeconds: number, holder: PhoneName | undefined): Card {
  const createdAt = Date.parse(session.createdAt)
  const absoluteMs = Date.parse(session.expiresAt) - createdAt
  const clocks = [
    clockBar((w) => w.keys.idle, Date.parse(session.idleExpiresAt), idleSeconds * 1000),
    clockBar((w) => w.keys.absolute, Date.parse(session.expiresAt), absoluteMs),
  ]
  const since = el('span', { say: (w) => w.keys.since(dayAndTime(session.createdAt)) })
  const whose: Shape = holder
    ? { class: `tag phone-${holder}`, say: (w) => w.phones[holder] }
    : { class: 'tag nobody', say: (w) => (canDigest ? w.keys.elsewhere : w.keys.unknown) }
  const element = el(
    'li',
    { class: 'key-card', data: { session: session.id } },
    el('div', { class: 'key-head' }, el('span', whose), since),
    el('code', { class: 'key-name' }, session.key),
    ...clocks.map((clock) => clock.element),
  )
  return {
    element,
    tick(now) {
      const isLive = clocks.map((clock) => clock.tick(now)).every(Boolean)
      setAttribute(element, 'data-ended', isLive ? undefined : '')
    },
  }
}

function clockBar(name: Saying, endsAt: number, wholeMs: number): Clock {
  const left = el('span', { class: 'clock-left' })
  const fill = ornament('clock-fill')
  const bar = el(
    'div',
    {
      class: 'clock-bar',
      attrs: { role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' },
      label: name,
    },
    fill,
  )
  const element = el('div', { class: 'clock' }, el('span', { say: name }), left, bar)
  return {
    element,
    tick(now) {
      const leftMs = endsAt - now
      const share = Math.min(1, Math.max(0, leftMs / wholeMs))
      const text = leftMs > 0 ? countdown(leftMs) : words().keys.ended
      say(left, () => (leftMs > 0 ? countdown(leftMs) : words().keys.ended))
      fill.style.transform = `scaleX(${share})`
      setAttribute(bar, 'aria-valuenow', String(Math.round(share * 100)))
      setAttribute(bar, 'aria-valuetext', text)
      setAttribute(element, 'data-low', share < 0.2 ? '' : undefined)
      return leftMs > 0
    },
  }
}
