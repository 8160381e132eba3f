import { button, el, setAttribute } from './elements.js'
import { type Saying, say, spokenLanguage } from './language.js'
import { ask, type SourcePlace } from './showcase-server.js'

/** A small window that shows the line of code, or of a document, behind a step of the log. */
export interface SourceView {
  readonly element: HTMLDialogElement
  /** Learns which lines there are. */
  load(): Promise<void>
  /** A link to the line with this name; undefined where the server does not have it. */
  linkTo(name: string | undefined, text: Saying): HTMLAnchorElement | undefined
}

export function createSourceView(): SourceView {
  let places: readonly SourcePlace[] = []
  const path = el('code')
  const lines = el('ol', {
    class: 'source-lines',
    attrs: { tabindex: '0', role: 'group' },
    label: (w) => w.source.lines,
  })
  const close = button(
    'close-source',
    (w) => w.source.close,
    () => element.close(),
    'small',
  )
  const element = el(
    'dialog',
    { class: 'source', label: (w) => w.source.heading },
    el('div', { class: 'card-head' }, path, close),
    lines,
  )

  function find(name: string): SourcePlace | undefined {
    return places.find(
      (place) => place.name === name && (place.language ?? spokenLanguage()) === spokenLanguage(),
    )
  }

  async function show(place: SourcePlace): Promise<void> {
    path.textContent = `${place.path}:${place.line}`
    lines.replaceChildren()
    element.showModal()
    try {
      const response = await fetch(addressOf(place))
      if (!response.ok) throw new Error(`HTTP ${response.status}`)
      const texts = (await response.text()).trimEnd().split('\n')
      lines.append(...texts.map((text) => el('li', {}, el('code', {}, text))))
      const line = lines.children[place.line - 1]
      if (line) setAttribute(line, 'aria-current', 'true')
      line?.scrollIntoView({ block: 'center' })
    } catch {
      const failure = el('li')
      say(failure, (w) => w.source.failed)
      lines.replaceChildren(failure)
    }
  }

  return {
    element,
    async load() {
      places = await ask<SourcePlace[]>('/showcase/sources').catch(() => [])
    },
    linkTo(name, text) {
      const place = name === undefined ? undefined : find(name)
      if (!name || !place) return undefined
      const link = el('a', {
        class: 'source-link',
        attrs: { href: addressOf(place), title: `${place.path}:${place.line}` },
        data: { source: name },
        say: text,
      })
      link.addEventListener('click', (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        void show(find(name) ?? place)
      })
      return link
    },
  }
}

function addressOf({ file }: SourcePlace): string {
  return `/showcase/sources/${file}`
}
