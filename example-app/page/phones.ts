import { button, el, setAttribute } from './elements.js'
import { say, sayAgain } from './language.js'
import { createPhone, type Phone, type PhoneOptions } from './phone-view.js'
import { createStorage } from './storage.js'

/** The phones of the user: one, and a second one if wanted. */
export interface Phones {
  readonly element: HTMLElement
  /** Those that are on the table. */
  all(): readonly Phone[]
}

export function createPhones(options: Omit<PhoneOptions, 'name'>): Phones {
  const storage = createStorage('page')
  const first = createPhone({ ...options, name: 'a' })
  const second = createPhone({ ...options, name: 'b' })
  const table = el('div', { class: 'table' }, first.element)
  const toggle = button('second-phone', (w) => w.phones.second, turn, 'quiet')
  const element = el(
    'section',
    { class: 'phones', label: (w) => w.phones.heading },
    el('div', { class: 'section-head' }, el('h2', { say: (w) => w.phones.heading }), toggle),
    table,
  )
  const isOut = () => second.element.parentElement === table

  /** A phone that is put away keeps its token, and its session lives on. */
  function turn(): void {
    if (isOut()) second.element.remove()
    else table.append(second.element)
    sayAgain(second.element)
    storage.set('second-phone', isOut() ? 'out' : 'away')
    show()
    options.onToken()
  }

  function show(): void {
    setAttribute(element, 'data-phones', isOut() ? '2' : '1')
    say(toggle, (w) => (isOut() ? w.phones.away : w.phones.second))
  }

  if (storage.get('second-phone') === 'out') table.append(second.element)
  show()
  return { element, all: () => (isOut() ? [first, second] : [first]) }
}
