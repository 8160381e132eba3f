import { createStorage } from './storage.js'

const NAMES = ['Lin', 'Mei', 'Tao', 'Yun', 'Xia', 'Bo', 'Lan', 'Ning', 'Rui', 'Hao']
const KEY = 'user'

const storage = createStorage('page')

/** The WeChat user of this browser: somebody at random, and the same one at the next visit. */
export function wechatUser(): string {
  const known = storage.get(KEY)
  if (known && /^[\w-]{1,64}$/.test(known)) return known
  const name = NAMES[Math.floor(Math.random() * NAMES.length)]
  const user = `${name}-${1000 + Math.floor(Math.random() * 9000)}`
  storage.set(KEY, user)
  return user
}

/** Calls the listener when another tab has gone on with another user. */
export function onOtherUser(listener: () => void): void {
  storage.onChangeElsewhere((name) => {
    if (name === KEY) listener()
  })
}
