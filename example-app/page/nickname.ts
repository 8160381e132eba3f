import { createStorage } from './storage.js'

/** The nickname of the user, as the app last told it to one of the phones. */
export interface Nickname {
  current(): string | undefined
  /** Takes it from a response of the app, if the profile of the user is in it. */
  learn(response: unknown): void
  onChange(listener: () => void): void
}

const KEY = 'nickname'

export function createNickname(): Nickname {
  const storage = createStorage('page')
  const listeners: (() => void)[] = []
  const notify = () => {
    for (const listener of listeners) listener()
  }
  storage.onChangeElsewhere((name) => {
    if (name === KEY) notify()
  })

  return {
    current: () => storage.get(KEY),
    learn(response) {
      const { userInfo } = Object(response)
      if (userInfo === undefined) return
      const told = Object(userInfo).nickName
      const nickname = typeof told === 'string' && told ? told : undefined
      if (nickname === storage.get(KEY)) return
      if (nickname === undefined) storage.remove(KEY)
      else storage.set(KEY, nickname)
      notify()
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
