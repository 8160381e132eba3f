import { inspect } from 'node:util'

/** Shorter ones would be found by chance. */
const LEAST_LENGTH = 8

/** Secrets by name, and whatever is to hold none of them. */
export class Planted {
  readonly #secrets = new Map<string, string>()
  readonly #outputs: { where: string; text: string; allowed: readonly string[] }[] = []

  /** Plants a secret, and returns it. */
  plant(name: string, secret: string): string {
    if (secret.length < LEAST_LENGTH) throw new TypeError(`${name} is too short to be recognised`)
    this.#secrets.set(secret, name)
    return secret
  }

  /** Takes down what came out. A secret that starts with one of `allowed` may be in it. */
  see(where: string, output: unknown, ...allowed: string[]): void {
    this.#outputs.push({ where, text: textOf(output), allowed })
  }

  get names(): string[] {
    return [...this.#secrets.values()]
  }

  get outputs(): number {
    return this.#outputs.length
  }

  /** Returns where a secret has come out, in whatever form. */
  leaks(): string[] {
    const forms = [...this.#secrets].map(([secret, name]) => ({ name, forms: formsOf(secret) }))
    return this.#outputs.flatMap(({ where, text, allowed }) =>
      forms
        .filter(({ name }) => !allowed.some((start) => name.startsWith(start)))
        .filter((secret) => secret.forms.some((form) => text.includes(form)))
        .map(({ name }) => `${name} in ${where}`),
    )
  }
}

/** All that can be read of a value. */
function textOf(output: unknown): string {
  if (typeof output === 'string') return output
  if (Buffer.isBuffer(output)) return output.toString('latin1')
  const shown = [
    inspect(output, { showHidden: true, depth: Infinity, maxStringLength: null, maxArrayLength: null }),
  ]
  shown.push(inspect(output, { showHidden: true, depth: Infinity, customInspect: false, getters: true }))
  for (let error = output; error instanceof Error; error = error.cause) {
    shown.push(
      error.message,
      String(error.stack),
      String(JSON.stringify(error, Object.getOwnPropertyNames(error))),
    )
  }
  return shown.join('\n')
}

/** A secret plain, escaped for URLs and JSON, in hexadecimal, and in base64 as a part of whatever text. */
export function formsOf(secret: string): string[] {
  const decoded = Buffer.from(secret, 'base64')
  const isBase64 = decoded.toString('base64') === secret
  const texts = [Buffer.from(secret), ...(isBase64 ? [decoded] : [])]
  const forms = texts.flatMap((bytes) => [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => [inBase64(bytes, shift, 'base64'), inBase64(bytes, shift, 'base64url')]),
  ])
  return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...forms])]
}

/** Those characters of base64 that do not depend on what stands around. */
function inBase64(bytes: Buffer, shift: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(encoding)
    .replace(/=+$/, '')
  const isRound = (shift + bytes.length) % 3 === 0
  return text.slice(Math.ceil((shift * 8) / 6), isRound ? undefined : -1)
}
