import { button, el } from './elements.js'
import { chooseLanguage, type Language, spokenLanguage } from './language.js'

/** The head of the page: what it is, and in which language. */
export function intro(): HTMLElement {
  const brand = el(
    'p',
    { class: 'brand' },
    el('img', { attrs: { src: '/icon.svg', alt: '', width: '32', height: '32' } }),
    'weapp-session',
  )
  const languages = el(
    'div',
    { class: 'languages', attrs: { role: 'group' }, label: (w) => w.language },
    choice('zh', '中文'),
    choice('en', 'English'),
  )
  return el(
    'header',
    { class: 'intro' },
    brand,
    el('h1', { say: (w) => w.headline }),
    languages,
    el('p', { class: 'lead', say: (w) => w.lead }),
  )
}

function choice(language: Language, name: string): HTMLElement {
  const element = button(
    `lang-${language}`,
    () => name,
    () => chooseLanguage(language),
  )
  element.dataset.language = language
  element.setAttribute('aria-pressed', String(language === spokenLanguage()))
  element.lang = language === 'zh' ? 'zh-CN' : 'en'
  return element
}
