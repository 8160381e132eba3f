import { el, setAttribute } from './elements.js'
import type { Nickname } from './nickname.js'
import type { PhoneName } from './request-log.js'

/** What the form needs of its phone. */
export interface NicknameFormOptions {
  name: PhoneName
  user: string
  nickname: Nickname
  onSubmit: (nickName: string) => void
}

export function nicknameForm({ name, user, nickname, onSubmit }: NicknameFormOptions): HTMLElement {
  const errorId = `nickname-error-${name}`
  const input = el('input', {
    attrs: { name: 'nickname', maxlength: '32', autocomplete: 'off', 'aria-describedby': errorId },
    label: (w) => w.phone.nickname,
  })
  const submit = el('button', {
    class: 'button small',
    attrs: { type: 'submit' },
    data: { action: 'nickname' },
    say: (w) => w.phone.rename,
  })
  const error = el('p', {
    class: 'field-error',
    attrs: { id: errorId, role: 'alert', hidden: '' },
    say: (w) => w.phone.noNickname,
  })
  const form = el('form', { class: 'nickname' }, input, submit, error)

  function showError(isEmpty: boolean): void {
    error.hidden = !isEmpty
    setAttribute(input, 'aria-invalid', isEmpty ? 'true' : undefined)
  }

  function fill(): void {
    input.value = nickname.current() ?? user
    showError(false)
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const nickName = input.value.trim()
    showError(!nickName)
    if (nickName) onSubmit(nickName)
    else input.focus()
  })
  input.addEventListener('input', () => showError(false))
  nickname.onChange(fill)
  fill()
  return form
}
