import { el, ornament } from './elements.js'
import type { Saying } from './language.js'

/** A phone with a mini-program open on it. */
export interface PhoneFrame {
  readonly element: HTMLElement
  /** Sets the clock in the status bar. */
  showTime(text: string): void
}

export function phoneFrame(title: Saying, ...content: readonly HTMLElement[]): PhoneFrame {
  const clock = el('span', { class: 'phone-clock' })
  const signal = ornament('signal', el('i'), el('i'), el('i'), el('i'))
  const statusBar = el(
    'div',
    { class: 'status-bar' },
    clock,
    ornament('island'),
    ornament('status-icons', signal, ornament('battery')),
  )
  const capsule = ornament('capsule', ornament('capsule-dots'), ornament('capsule-ring'))
  const navigationBar = el('div', { class: 'navigation-bar' }, el('span', { say: title }), capsule)
  const screen = el(
    'div',
    { class: 'screen' },
    statusBar,
    navigationBar,
    el('div', { class: 'screen-content' }, ...content),
    ornament('home-bar'),
  )
  return {
    element: el('div', { class: 'bezel' }, screen),
    showTime(text) {
      if (clock.textContent !== text) clock.textContent = text
    },
  }
}
