import { el, ornament } from './elements.js'
import type { Saying } from './language.js'

/** What the signs in the log mean. */
export function legend(): HTMLElement {
  return el(
    'ul',
    { class: 'legend', label: (w) => w.legend.heading },
    sign('asks', (w) => w.legend.asks),
    sign('answers', (w) => w.legend.answers),
    sign('fails', (w) => w.legend.fails),
    sign('hidden', (w) => w.legend.hidden, '•••'),
  )
}

function sign(look: string, meaning: Saying, text = ''): HTMLElement {
  return el('li', {}, ornament(`sign sign-${look}`, text), el('span', { say: meaning }))
}
