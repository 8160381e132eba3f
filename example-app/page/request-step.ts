import { el, ornament } from './elements.js'
import type { Saying } from './language.js'
import type { Party, Step } from './showcase-server.js'
import type { SourceView } from './source-view.js'

const LANES: readonly Party[] = ['phone', 'app', 'wechat', 'store']

/** The names above the lanes. */
export function laneHeads(storeName: Saying): HTMLElement {
  const names: Readonly<Record<Party, Saying>> = {
    phone: (w) => w.lanes.phone,
    app: (w) => w.lanes.app,
    wechat: (w) => w.lanes.wechat,
    store: storeName,
  }
  return el(
    'div',
    { class: 'lanes' },
    ...LANES.map((lane) => el('span', { class: 'lane', data: { lane }, say: names[lane] })),
  )
}

/** An arrow from one lane to another, below a text that says what passed and links to the line that does it. */
export function stepRow(step: Step, sources?: Pick<SourceView, 'linkTo'>): HTMLElement {
  const { from, to, text, detail, ok, atMs, source } = step
  const [start, end] = [LANES.indexOf(from), LANES.indexOf(to)]
  const what: Saying = (w) => w.steps[text] ?? text
  const row = el(
    'li',
    {
      class: `step ${end > start ? 'to-right' : 'to-left'}`,
      data: { step: `${from}>${to}`, ok: String(ok) },
    },
    el(
      'span',
      { class: 'step-text' },
      ...(ok ? [] : [el('b', { class: 'failed-mark', say: (w) => w.log.failed }), ' ']),
      el('span', { class: 'sr-only', say: (w) => `${w.lanes[from]} → ${w.lanes[to]}: ` }),
      source && sources ? sources.linkTo(source, what) : el('span', { say: what }),
      ...(atMs === undefined ? [] : [' ', el('small', {}, `${atMs} ms`)]),
      ...(detail ? [' ', el('code', { say: (w) => w.steps[detail] ?? detail })] : []),
    ),
    ornament('arrow'),
  )
  // Each lane is two columns of the grid wide, and an arrow goes from the middle of one to the middle of the other.
  row.style.setProperty('--left', String(Math.min(start, end) * 2 + 2))
  row.style.setProperty('--right', String(Math.max(start, end) * 2 + 2))
  return row
}
