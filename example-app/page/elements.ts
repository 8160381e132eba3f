import { label, type Saying, say } from './language.js'

/** What an element is like. `say` and `label` follow the language. */
export interface Shape {
  class?: string
  say?: Saying
  label?: Saying
  data?: Readonly<Record<string, string>>
  attrs?: Readonly<Record<string, string>>
  onClick?: () => void
}

type Child = Node | string

/** Makes an element with its attributes, texts and children. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  shape: Shape = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  if (shape.class) element.className = shape.class
  for (const [name, value] of Object.entries(shape.attrs ?? {})) element.setAttribute(name, value)
  for (const [name, value] of Object.entries(shape.data ?? {})) element.dataset[name] = value
  if (shape.say) say(element, shape.say)
  if (shape.label) label(element, shape.label)
  if (shape.onClick) element.addEventListener('click', shape.onClick)
  element.append(...children)
  return element
}

/** A button. Tests find it by the name of its action. */
export function button(action: string, say: Saying, onClick: () => void, look = ''): HTMLButtonElement {
  return el('button', {
    class: `button ${look}`.trim(),
    attrs: { type: 'button' },
    data: { action },
    say,
    onClick,
  })
}

/** Something to look at only, which screen readers skip. */
export function ornament(look: string, ...children: readonly Child[]): HTMLSpanElement {
  return el('span', { class: look, attrs: { 'aria-hidden': 'true' } }, ...children)
}

/** Sets an attribute, or removes it. */
export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name)
  else element.setAttribute(name, value)
}
