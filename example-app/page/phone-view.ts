import { createClient } from 'weapp-session/client'
import { button, el, setAttribute } from './elements.js'
import { type Saying, say } from './language.js'
import { timeOfDay } from './moments.js'
import type { Nickname } from './nickname.js'
import { nicknameForm } from './nickname-form.js'
import { createPhoneActions, type PhoneActions } from './phone-actions.js'
import { phoneFrame } from './phone-frame.js'
import { createPhoneResult } from './phone-result.js'
import { createPhoneShim } from './phone-shim.js'
import type { PhoneName, RequestLog } from './request-log.js'
import { createStorage } from './storage.js'

/** One phone of the user. */
export interface Phone {
  readonly name: PhoneName
  readonly element: HTMLElement
  /** The token that it holds, or ''. */
  token(): string
  showTime(now: number): void
  /** Says whether the server no longer knows the token. */
  showEnded(hasEnded: boolean): void
}

/** What a phone needs of the page. */
export interface PhoneOptions {
  name: PhoneName
  user: string
  nickname: Nickname
  log: RequestLog
  onSettled: () => void
  onToken: () => void
}

/** What a button can do without asking for anything first. */
type PlainAction = Exclude<keyof PhoneActions, 'rename' | 'endSession'>

const STORAGE_KEY = 'token'

export function createPhone({ name, user, nickname, log, onSettled, onToken }: PhoneOptions): Phone {
  const storage = createStorage(`phone-${name}`)
  const onResponse = nickname.learn
  const wx = createPhoneShim({ name, user, log, storage, onResponse, onSettled, onStorage: showToken })
  const token = () => storage.get(STORAGE_KEY) ?? ''
  const result = createPhoneResult({ name, log, nickname, token, onEnd: endSession })
  let actions = startProgram()

  function startProgram(): PhoneActions {
    return createPhoneActions(createClient({ baseUrl: location.origin, storageKey: STORAGE_KEY, wx }), wx)
  }

  const press = (name: string, what: Saying, action: PlainAction, look = '') =>
    button(name, what, () => void result.run(what, () => actions[action]()), look)

  const callName = () => nickname.current() ?? user
  const state = el('span', { class: 'login-state' })
  const avatar = el('span', {
    class: `avatar phone-${name}`,
    attrs: { 'aria-hidden': 'true' },
    say: () => [...callName()][0] ?? '',
  })
  const whose = el('strong', { data: { user }, say: callName })
  const tokenMeans = el('h4')
  const tokenText = el('code', { class: 'token-text', data: { token: '' } })
  const logIn = press('log-in', (w) => w.phone.logIn, 'logIn', 'wide')

  const frame = phoneFrame(
    (w) => w.phone.appName,
    el('div', { class: 'who' }, avatar, el('span', { class: 'who-name' }, whose, state)),
    el('div', { class: 'token' }, tokenMeans, tokenText),
    el(
      'div',
      { class: 'tiles' },
      logIn,
      press('profile', (w) => w.phone.profile, 'showProfile'),
      press('steps', (w) => w.phone.steps, 'countSteps'),
      press('phone-number', (w) => w.phone.phoneNumber, 'showPhoneNumber'),
      press('devices', (w) => w.phone.devices, 'listDevices'),
    ),
    nicknameForm({ name, user, nickname, onSubmit: rename }),
    result.element,
    press('log-out', (w) => w.phone.logOut, 'logOut', 'quiet danger'),
  )
  const heading = el('h3', {}, el('span', { class: `tag phone-${name}`, say: (w) => w.phones[name] }))
  const element = el('article', { class: 'phone', data: { phone: name } }, heading, frame.element)

  function rename(nickName: string): void {
    void result.run(
      (w) => w.phone.rename,
      () => actions.rename(nickName),
    )
  }

  function endSession(id: string): void {
    void result.run(
      (w) => w.phone.end,
      () => actions.endSession(id),
    )
  }

  function showToken(): void {
    const held = token()
    setAttribute(element, 'data-logged-in', held ? '' : undefined)
    setAttribute(tokenText, 'data-empty', held ? undefined : '')
    logIn.classList.toggle('primary', !held)
    say(logIn, (w) => (held ? w.phone.logInAgain : w.phone.logIn))
    showEnded(false)
    say(tokenMeans, (w) => (held ? w.phone.tokenMeans : w.phone.token))
    say(tokenText, (w) => held || w.phone.noToken)
    onToken()
  }

  function showEnded(hasEnded: boolean): void {
    setAttribute(element, 'data-ended', hasEnded ? '' : undefined)
    say(state, (w) => {
      if (!token()) return w.phone.holdsNone
      return hasEnded ? w.phone.holdsEnded : w.phone.holdsToken
    })
  }

  // Another tab shows the same phone. The client reads its token only once, so it starts again.
  storage.onChangeElsewhere(() => {
    actions = startProgram()
    showToken()
  })
  showToken()
  return { name, element, token, showEnded, showTime: (now) => frame.showTime(timeOfDay(now)) }
}
