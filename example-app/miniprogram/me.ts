import { ask } from './session.js'

/** What the back end knows of the user. */
export interface Me {
  userInfo: { nickName?: string; avatarUrl?: string } | null
  user: { logins: number }
}

export function askWhoIAm(): Promise<Me> {
  return ask<Me>('GET', '/me')
}
