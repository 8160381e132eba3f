import { hash, randomBytes, randomInt } from 'node:crypto'

const CODE_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export function newAppid(): string {
  return `wx${randomBytes(8).toString('hex')}`
}

export function newSecret(): string {
  return randomBytes(16).toString('hex')
}

export function newUser(): string {
  return `user-${randomBytes(4).toString('hex')}`
}

export function newCode(): string {
  return Array.from({ length: 32 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')
}

export function newPhoneCode(): string {
  return randomBytes(32).toString('hex')
}

export function newAccessToken(): string {
  return `${randomInt(10, 100)}_${randomBytes(102).toString('base64url')}`
}

export function newSessionKey(): string {
  return randomBytes(16).toString('base64')
}

/** The trace id of an errmsg: three groups of eight hex digits. */
export function newRid(): string {
  return Array.from({ length: 3 }, () => randomBytes(4).toString('hex')).join('-')
}

/** The log_id of a Douyin response: its time, then random digits. */
export function newLogId(now: number): string {
  const time = new Date(now).toISOString().replace(/\D/g, '').slice(0, 14)
  return `${time}${randomBytes(9).toString('hex').toUpperCase()}`
}

export function openidOf(user: string, appid: string): string {
  return publicId(`openid\n${appid}\n${user}`)
}

export function unionidOf(user: string): string {
  return publicId(`unionid\n${user}`)
}

export function anonymousOpenidOf(user: string, appid: string): string {
  return publicId(`anonymous\n${appid}\n${user}`)
}

/** The id of a group chat, which differs from app to app. */
export function groupIdOf(group: string, appid: string): string {
  return `tG${publicId(`group\n${appid}\n${group}`).slice(2)}`
}

function publicId(source: string): string {
  return `o${hash('sha256', source, 'base64url').slice(0, 27)}`
}
