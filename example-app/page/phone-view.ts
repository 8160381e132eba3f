import { createClient } from 'weapp-session/client'
import { button, el, setAttribute } from './elements.js'
import { type Saying, say } from './language.js'
import { timeOfDay } from './moments.js'
import { createPhoneActions, type Outcome } from './phone-actions.js'
import { phoneFrame } from './phone-frame.js'
import { createPhoneResult } from './phone-result.js'
import { createPhoneShim } from './phone-shim.js'
import type { PhoneName, RequestLog } from './request-log.js'

/** One phone of the user. */
export interface Phone {
  readonly name: PhoneName
  readonly element: HTMLElement
  /** The token that it holds, or ''. */
  token(): string
  showTime(now: number): void
}

/** What a phone needs of the page. */
export interface PhoneOptions {
  name: PhoneName
  user: string
  log: RequestLog
  onSettled: () => void
  onToken: () => void
}

const STORAGE_KEY = 'token'

export function createPhone({ name, user, log, onSettled, onToken }: PhoneOptions): Phone {
  const wx = createPhoneShim({ name, user, log, onSettled, onStorage: showToken })
  const client = createClient({ baseUrl: location.origin, storageKey: STORAGE_KEY, wx })
  const actions = createPhoneActions(client, wx)
  const token = () => String(wx.getStorageSync(STORAGE_KEY))

  const result = createPhoneResult({ name, log, token, onEnd: endSession })
  const state = el('span', { class: 'login-state' })
  const tokenText = el('code', { class: 'token-text', data: { token: '' } })

  const press = (action: string, what: Saying, work: () => Promise<Outcome>, look = '') =>
    button(action, what, () => void result.run(what, work), look)

  const frame = phoneFrame(
    (w) => w.phone.appName,
    el(
      'div',
      { class: 'who' },
      avatar(name, user),
      el('span', { class: 'who-name' }, el('strong', {}, user), state),
    ),
    el('div', { class: 'token' }, el('h4', { say: (w) => w.phone.token }), tokenText),
    el(
      'div',
      { class: 'tiles' },
      press('log-in', (w) => w.phone.logIn, actions.logIn, 'primary wide'),
      press('profile', (w) => w.phone.profile, actions.showProfile),
      press('steps', (w) => w.phone.steps, actions.countSteps),
      press('phone-number', (w) => w.phone.phoneNumber, actions.showPhoneNumber),
      press('devices', (w) => w.phone.devices, actions.listDevices),
    ),
    nicknameForm(
      user,
      (nickName) =>
        void result.run(
          (w) => w.phone.rename,
          () => actions.rename(nickName),
        ),
    ),
    result.element,
    press('log-out', (w) => w.phone.logOut, actions.logOut, 'quiet danger'),
  )
  const heading = el('h3', {}, el('span', { class: `tag phone-${name}`, say: (w) => w.phones[name] }))
  const element = el('article', { class: 'phone', data: { phone: name } }, heading, frame.element)

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
    say(state, (w) => (held ? w.phone.holdsToken : w.phone.holdsNone))
    say(tokenText, (w) => held || w.phone.noToken)
    onToken()
  }

  showToken()
  return { name, element, token, showTime: (now) => frame.showTime(timeOfDay(now)) }
}

function avatar(name: PhoneName, user: string): HTMLElement {
  return el('span', { class: `avatar phone-${name}`, attrs: { 'aria-hidden': 'true' } }, user.slice(0, 1))
}

function nicknameForm(user: string, onSubmit: (nickName: string) => void): HTMLElement {
  const input = el('input', {
    attrs: { name: 'nickname', value: user, maxlength: '32', required: '', autocomplete: 'off' },
    label: (w) => w.phone.nickname,
  })
  const submit = el('button', {
    class: 'button small',
    attrs: { type: 'submit' },
    data: { action: 'nickname' },
    say: (w) => w.phone.rename,
  })
  const form = el('form', { class: 'nickname' }, input, submit)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const nickName = input.value.trim()
    if (nickName) onSubmit(nickName)
    else input.focus()
  })
  return form
}
