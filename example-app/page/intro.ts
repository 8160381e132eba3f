import { button, el, ornament } from './elements.js'
import { chooseLanguage, type Language, type Saying, spokenLanguage } from './language.js'

/** The head of the page: what it is, how to read it, and in which language. */
export function intro(): HTMLElement {
  const brand = el(
    'div',
    { class: 'brand' },
    el('img', { attrs: { src: '/icon.svg', alt: '', width: '36', height: '36' } }),
  )
  brand.append(el('p', { class: 'brand-name' }, 'weapp-session'))
  const languages = el(
    'div',
    { class: 'languages', attrs: { role: 'group' }, label: (w) => w.language },
    choice('zh', '中文'),
    choice('en', 'English'),
  )
  const legend = el(
    'ul',
    { class: 'legend', label: (w) => w.legend.heading },
    sign('asks', (w) => w.legend.asks),
    sign('answers', (w) => w.legend.answers),
    sign('fails', (w) => w.legend.fails),
    sign('hidden', (w) => w.legend.hidden, '•••'),
  )
  return el(
    'header',
    { class: 'intro' },
    el('div', { class: 'top-bar' }, brand, languages),
    el('h1', { say: (w) => w.headline }),
    el('p', { class: 'lead', say: (w) => w.lead }),
    legend,
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

function sign(look: string, meaning: Saying, text = ''): HTMLElement {
  return el('li', {}, ornament(`sign sign-${look}`, text), el('span', { say: meaning }))
}
