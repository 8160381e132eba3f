import { button, el, setAttribute } from './elements.js'
import { type Saying, say, spokenLanguage } from './language.js'
import { ask, type SourcePlace } from './showcase-server.js'

/** A small window that shows the line of code, or of a document, behind a step of the log. */
export interface SourceView {
  readonly element: HTMLDialogElement
  /** Resolves with whether there is anything to link to: the published package has no sources. */
  readonly hasPlaces: Promise<boolean>
  /** The text as a link to the line with this name; as plain text where the server does not have that line. */
  linkTo(name: string, text: Saying): HTMLElement
}

export function createSourceView(): SourceView {
  const places = ask<SourcePlace[]>('/showcase/sources').catch((): SourcePlace[] => [])
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

  /** A document is shown in the language of the page. */
  async function find(name: string): Promise<SourcePlace | undefined> {
    const language = spokenLanguage()
    return (await places).find((place) => place.name === name && (place.language ?? language) === language)
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

  function linkTo(name: string, text: Saying, place: SourcePlace): HTMLElement {
    const link = el('a', {
      class: 'source-link',
      attrs: { href: addressOf(place), title: `${place.path}:${place.line}` },
      data: { source: name },
      say: text,
    })
    link.addEventListener('click', async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      await show((await find(name)) ?? place)
    })
    return link
  }

  return {
    element,
    hasPlaces: places.then(({ length }) => length > 0),
    linkTo(name, text) {
      const plain = el('span', { say: text })
      void find(name).then((place) => place && plain.replaceWith(linkTo(name, text, place)))
      return plain
    },
  }
}

function addressOf({ file }: SourcePlace): string {
  return `/showcase/sources/${file}`
}
