import { requestData } from './session.js'

/** What the back end knows about the user. */
export interface Me {
  userInfo: { nickName?: string; avatarUrl?: string } | null
  user: { logins: number }
}

export function fetchMe(): Promise<Me> {
  return requestData<Me>('GET', '/me')
}
