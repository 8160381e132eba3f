import { createStorage } from './storage.js'
import { en, type Words } from './words.js'
import { zh } from './words-zh.js'

/** A language of the page. */
export type Language = 'en' | 'zh'

/** A text in each language of the page. */
export type Saying = (words: Words) => string

const DICTIONARIES: Readonly<Record<Language, Words>> = { en, zh }
const HTML_LANG: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' }

const storage = createStorage('page')
const spoken = new WeakMap<Element, Saying>()
const labelled = new WeakMap<Element, Saying>()
let current: Language = 'en'

/** The dictionary of the language that the page speaks now. */
export function words(): Words {
  return DICTIONARIES[current]
}

/** The language that the page speaks now. */
export function spokenLanguage(): Language {
  return current
}

/** The same language, as `Intl` names it. */
export function locale(): string {
  return HTML_LANG[current]
}

/** Gives an element its text, now and after each change of the language. */
export function say(element: Element, saying: Saying): void {
  spoken.set(element, saying)
  const text = saying(words())
  // Setting the same text again would make a screen reader read it again.
  if (element.textContent !== text) element.textContent = text
}

/** Does the same with the name of an element for screen readers. */
export function label(element: Element, saying: Saying): void {
  labelled.set(element, saying)
  element.setAttribute('aria-label', saying(words()))
}

/** The language that the address names, else the one that was chosen before, else that of the browser. */
export function preferredLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? storage.get('lang')
  if (asked === 'en' || asked === 'zh') return asked
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** Chooses a language, for the next visit too. */
export function chooseLanguage(language: Language): void {
  storage.set('lang', language)
  speak(language)
}

/** Says everything on the page in this language. */
export function speak(language: Language): void {
  current = language
  document.documentElement.lang = HTML_LANG[language]
  document.title = words().title
  sayAgain(document.body)
  for (const choice of document.querySelectorAll('[data-language]')) {
    choice.setAttribute('aria-pressed', String(choice.getAttribute('data-language') === language))
  }
}

/** Says everything below an element again. What was not on the page while the language changed needs it. */
export function sayAgain(root: Element): void {
  for (const element of root.querySelectorAll('*')) {
    const [text, name] = [spoken.get(element), labelled.get(element)]
    if (text) say(element, text)
    if (name) label(element, name)
  }
}
