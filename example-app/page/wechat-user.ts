import { createStorage } from './storage.js'

const NAMES = ['Lin', 'Mei', 'Tao', 'Yun', 'Xia', 'Bo', 'Lan', 'Ning', 'Rui', 'Hao']

/** The WeChat user of this browser: somebody at random, and the same one at the next visit. */
export function wechatUser(): string {
  const storage = createStorage('page')
  const known = storage.get('user')
  if (known && /^[\w-]{1,64}$/.test(known)) return known
  const name = NAMES[Math.floor(Math.random() * NAMES.length)]
  const user = `${name}-${1000 + Math.floor(Math.random() * 9000)}`
  storage.set('user', user)
  return user
}
