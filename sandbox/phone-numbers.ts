import { hash } from 'node:crypto'

const HOME = '86'

/** The phone number bound to a WeChat user, in the field names of `phone_info`. */
export interface PhoneNumber {
  /** A foreign number begins with its country code. */
  phoneNumber: string
  purePhoneNumber: string
  countryCode: string | number
}

/** The phone numbers of all WeChat users: everyone has one, which `sandbox.phone` may change. */
export class PhoneNumbers {
  readonly #changes = new Map<string, Partial<PhoneNumber>>()

  of(user: string): PhoneNumber {
    const { purePhoneNumber = defaultNumber(user), countryCode = HOME } = this.#changes.get(user) ?? {}
    const isForeign = String(countryCode) !== HOME
    const phoneNumber = isForeign ? `+${countryCode}${purePhoneNumber}` : purePhoneNumber
    return { phoneNumber, purePhoneNumber, countryCode }
  }

  change(user: string, fields: { purePhoneNumber?: string; countryCode?: string | number }): void {
    this.#changes.set(user, { ...this.#changes.get(user), ...fields })
  }
}

function defaultNumber(user: string): string {
  const digits = BigInt(`0x${hash('sha256', `phone\n${user}`).slice(0, 12)}`) % 1_000_000_000n
  return `13${String(digits).padStart(9, '0')}`
}
