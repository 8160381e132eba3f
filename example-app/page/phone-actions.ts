import { type Client, ClientError, type LoginResult, type PhoneNumber } from 'weapp-session/client'
import type { PhoneShim } from './phone-shim.js'

/** What `/me` returns, as far as a phone shows it itself. */
export interface Profile {
  lastVisitAt: string
  user: { id: number; logins: number }
}

/** A session in the device list. */
export interface Device {
  id: string
  current: boolean
  /** What the client says of the phone at the login. */
  device: string | null
  createdAt: string
  lastVisitAt: string
}

/** Steps of one day. */
export interface DaySteps {
  timestamp: number
  step: number
}

/** The result of a button. */
export type Outcome =
  | { kind: 'login'; answer: LoginResult }
  | { kind: 'profile'; profile: Profile }
  | { kind: 'nickname'; nickName: string }
  | { kind: 'steps'; days: DaySteps[]; wasStale: boolean }
  | { kind: 'phoneNumber'; answer: PhoneNumber }
  | { kind: 'devices'; devices: Device[] }
  | { kind: 'logout'; hadToken: boolean }
  | { kind: 'failed'; code: string; message: string }

/** The mini-program: what its buttons do, written as for a real phone. */
export interface PhoneActions {
  logIn(): Promise<Outcome>
  showProfile(): Promise<Outcome>
  rename(nickName: string): Promise<Outcome>
  countSteps(): Promise<Outcome>
  showPhoneNumber(): Promise<Outcome>
  listDevices(): Promise<Outcome>
  endSession(id: string): Promise<Outcome>
  logOut(): Promise<Outcome>
}

export function createPhoneActions(client: Client, wx: PhoneShim): PhoneActions {
  /** `client.request` resolves with any status, as `wx.request` does. */
  async function ask<Answer extends object>(url: string, method: 'GET' | 'DELETE' = 'GET'): Promise<Answer> {
    const { data, statusCode } = await client.request<Answer>({ url, method })
    if (statusCode >= 400) throw new ClientError('ERR_ANSWER_UNEXPECTED', `HTTP ${statusCode}`)
    return data
  }

  /** WeChat encrypts with the session_key of the last login, so there has to be one. */
  async function sendSteps(): Promise<DaySteps[]> {
    if (!client.isLoggedIn()) await client.login()
    const data = await wx.getWeRunData()
    const answer = await client.decrypt<{ stepInfoList: DaySteps[] }>({ url: '/steps', ...data })
    return answer.stepInfoList
  }

  async function listDevices(): Promise<Outcome> {
    const { sessions } = await ask<{ sessions: Device[] }>('/sessions')
    return { kind: 'devices', devices: sessions }
  }

  return {
    logIn: async () => ({ kind: 'login', answer: await client.login() }),
    showProfile: async () => ({ kind: 'profile', profile: await ask<Profile>('/me') }),
    async rename(nickName) {
      const userInfo = await client.setUserInfo({ userInfo: { nickName } })
      return { kind: 'nickname', nickName: String(userInfo.nickName) }
    },
    async countSteps() {
      try {
        return { kind: 'steps', days: await sendSteps(), wasStale: false }
      } catch (error) {
        if (!(error instanceof ClientError) || error.code !== 'ERR_SESSION_KEY_STALE') throw error
        // The client has logged in again, so WeChat now encrypts with a key that the server knows.
        return { kind: 'steps', days: await sendSteps(), wasStale: true }
      }
    },
    showPhoneNumber: async () => ({
      kind: 'phoneNumber',
      answer: await client.phoneNumber(await wx.getPhoneNumber()),
    }),
    listDevices,
    async endSession(id) {
      await ask(`/sessions/${encodeURIComponent(id)}`, 'DELETE')
      return listDevices()
    },
    async logOut() {
      const hadToken = client.isLoggedIn()
      await client.logout()
      return { kind: 'logout', hadToken }
    },
  }
}

/** What went wrong, with the client's code, or with the name of the `wx` call that failed. */
export function failureIn(error: unknown): Outcome {
  if (error instanceof ClientError) return { kind: 'failed', code: error.code, message: error.message }
  const { errMsg, message } = Object(error)
  const text = String(errMsg ?? message ?? error)
  return { kind: 'failed', code: /^\w+:fail/.exec(text)?.[0] ?? 'ERR_PAGE', message: text }
}
