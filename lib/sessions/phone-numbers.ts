import type { App } from './app-info.js'
import { changedAllTheTime } from './contention.js'
import type { UserRef } from './session.js'
import type { Vault } from './vault.js'

/** Each try but the first means that somebody else wrote in the same moment. */
const MOST_TRIES = 5

/** The phone numbers that were to be kept, one for a user of an app, encrypted. */
export class PhoneNumbers<PhoneNumber> {
  readonly #vault: Vault

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /** Keeps a number for the `userInfoDurationDays` of the app; undefined forgets the one there is. Throws `ERR_STORE_UNAVAILABLE`. */
  async keep(app: App, openid: string, phoneNumber: PhoneNumber | undefined): Promise<void> {
    const binding = bindingOf({ appid: app.appid, openid })
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#vault.read(binding)
      if (await this.#vault.replace(binding, found, phoneNumber, app.userInfoDurationMs)) return
    }
    throw changedAllTheTime()
  }

  async find(user: UserRef): Promise<PhoneNumber | null> {
    const found = await this.#vault.read(bindingOf(user))
    return (found?.value as PhoneNumber | undefined) ?? null
  }
}

function bindingOf({ appid, openid }: UserRef) {
  return { appid, openid, purpose: 'phone_number' } as const
}
