import { button, el, setAttribute } from './elements.js'
import { type Saying, say } from './language.js'
import { legend } from './legend.js'
import { laneHeads, stepRow } from './request-step.js'
import type { Step } from './showcase-server.js'
import type { SourceView } from './source-view.js'

/** The phones of the page. */
export type PhoneName = 'a' | 'b'

/** A call in the log, from its beginning. */
export interface LogEntry {
  /** The step that it began with. */
  readonly first: Step
  /** Shows what happened in place of what was expected. */
  end(steps: readonly Step[]): void
}

/** What the phones ask, and what that leads to: the newest press on top, its calls in their order. */
export interface RequestLog {
  readonly element: HTMLElement
  /** A button was pressed: the calls of that phone belong to it until the returned function is called. */
  open(phone: PhoneName, title: Saying): () => void
  begin(phone: PhoneName, title: string, first: Step): LogEntry
  /** Adds something that happened outside of the phones. */
  note(saying: Saying): void
  /** Names the store again, once the page knows which one it is. */
  update(): void
}

interface Press {
  readonly titles: HTMLElement
  readonly calls: HTMLElement
  running: number
}

const MOST_PRESSES = 60

export function createRequestLog(storeName: Saying, sources?: SourceView): RequestLog {
  const presses = el('ol', { class: 'presses' })
  const empty = el('p', { class: 'log-empty', say: (w) => w.log.empty })
  const scroll = el(
    'div',
    { class: 'log-scroll', attrs: { tabindex: '0', role: 'group' }, label: (w) => w.log.heading },
    laneHeads(storeName),
    empty,
    presses,
  )
  const hint = el('p', { class: 'hint', say: (w) => w.log.hint })
  void sources?.hasPlaces.then((has) => has && say(hint, (w) => w.log.hint + w.log.links))
  const clear = button('clear-log', (w) => w.log.clear, wipe, 'quiet')
  const element = el(
    'section',
    { class: 'card log', label: (w) => w.log.heading },
    el('div', { class: 'card-head' }, el('h2', { say: (w) => w.log.heading }), clear),
    hint,
    legend(),
    scroll,
  )
  const pressesUnderWay = new Map<PhoneName, Press>()
  let count = 0
  showEmpty(true)

  function wipe(): void {
    presses.replaceChildren()
    showEmpty(true)
  }

  function showEmpty(isEmpty: boolean): void {
    empty.hidden = !isEmpty
    setAttribute(element, 'data-empty', isEmpty ? '' : undefined)
  }

  function putOnTop(row: HTMLElement): void {
    showEmpty(false)
    presses.prepend(row)
    while (presses.childElementCount > MOST_PRESSES) presses.lastElementChild?.remove()
  }

  /** Presses that overlap share one entry: nobody can tell which of them a call belongs to. */
  function open(phone: PhoneName, title: Saying): () => void {
    const press = pressesUnderWay.get(phone) ?? startPress(phone)
    press.titles.append(el('strong', { say: title }))
    press.running += 1
    return () => {
      press.running -= 1
      if (press.running > 0) return
      pressesUnderWay.delete(phone)
      if (!press.calls.hasChildNodes())
        press.calls.append(el('li', { class: 'hint', say: (w) => w.log.nothingSent }))
    }
  }

  function startPress(phone: PhoneName): Press {
    const press = {
      titles: el('div', { class: 'press-titles' }),
      calls: el('ol', { class: 'calls' }),
      running: 0,
    }
    const tag = el('span', { class: `tag phone-${phone}`, say: (w) => w.phones[phone] })
    const head = el('div', { class: 'press-head' }, tag, press.titles)
    putOnTop(el('li', { class: 'press', data: { by: phone } }, head, press.calls))
    pressesUnderWay.set(phone, press)
    scroll.scrollTop = 0
    // In a narrow window the log may have risen over the button.
    document.activeElement?.scrollIntoView({ block: 'nearest' })
    return press
  }

  function begin(phone: PhoneName, title: string, first: Step): LogEntry {
    count += 1
    const beganAt = performance.now()
    const outcome = el('span', { class: 'call-outcome', say: (w) => w.log.pending })
    const steps = el('ol', { class: 'steps' }, stepRow(first, sources))
    const call = el(
      'li',
      { class: 'call', data: { request: String(count), progress: 'pending' } },
      el('div', { class: 'call-head' }, el('code', {}, title), outcome),
      steps,
    )
    pressesUnderWay.get(phone)?.calls.append(call)
    return {
      first,
      end(happened) {
        const tookMs = Math.round(performance.now() - beganAt)
        const isOk = happened.every(({ ok }) => ok)
        steps.replaceChildren(...happened.map((step) => stepRow(step, sources)))
        setAttribute(call, 'data-progress', isOk ? 'ok' : 'failed')
        say(outcome, (w) => w.log.took(tookMs))
      },
    }
  }

  return {
    element,
    open,
    begin,
    note: (saying) => putOnTop(el('li', { class: 'world-note', say: saying })),
    update() {
      const storeHead = scroll.querySelector('[data-lane="store"]')
      if (storeHead) say(storeHead, storeName)
    },
  }
}
