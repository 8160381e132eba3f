import type { App } from '../sessions/app-info.js'
import { changedAllTheTime } from '../sessions/contention.js'
import type { UserRef } from '../sessions/session.js'
import type { Vault } from '../sessions/vault.js'
import type { PhoneInfo } from '../wechat/phone-number.js'

/** Each retry means that somebody else wrote at the same time. */
const MOST_TRIES = 5

/** The phone numbers that were kept, one for each user of an app, encrypted. */
export class PhoneNumbers {
  readonly #vault: Vault

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /**
   * Keeps a number for the `userInfoDurationDays` of the app; undefined deletes the one there is. Throws
   * `ERR_STORE_UNAVAILABLE`.
   */
  async keep(app: App, openid: string, phoneNumber: PhoneInfo | undefined): Promise<void> {
    const binding = bindingOf({ appid: app.appid, openid })
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#vault.read(binding)
      if (await this.#vault.replace(binding, found, phoneNumber, app.userInfoDurationMs)) return
    }
    throw changedAllTheTime()
  }

  /** Returns the number of a user, or null. Throws `ERR_STORE_UNAVAILABLE`. */
  async find(user: UserRef): Promise<PhoneInfo | null> {
    const found = await this.#vault.read(bindingOf(user))
    return (found?.value as PhoneInfo | undefined) ?? null
  }
}

function bindingOf({ appid, openid }: UserRef) {
  return { appid, openid, purpose: 'phone_number' } as const
}
