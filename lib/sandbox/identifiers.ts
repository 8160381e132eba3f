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

export function newSessionKey(): string {
  return randomBytes(16).toString('base64')
}

/** The trace suffix of an errmsg: three groups of eight hex digits. */
export function newRid(): string {
  return Array.from({ length: 3 }, () => randomBytes(4).toString('hex')).join('-')
}

export function openidOf(user: string, appid: string): string {
  return publicId(`openid\n${appid}\n${user}`)
}

export function unionidOf(user: string): string {
  return publicId(`unionid\n${user}`)
}

function publicId(source: string): string {
  return `o${hash('sha256', source, 'base64url').slice(0, 27)}`
}
