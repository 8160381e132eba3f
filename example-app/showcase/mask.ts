const HIDDEN = '•••'
const MOST_CHARACTERS = 200
const SECRETS = new Set([
  'token',
  'code',
  'nonce',
  'encryptedData',
  'encryptData',
  'encrypt_data',
  'iv',
  'rawData',
  'signature',
  'session_key',
  'skey',
])

/** A body as it may be shown: without tokens, codes of WeChat and encrypted data. The code of an error is not a secret. */
export function masked(body: unknown): string | undefined {
  if (body === undefined || body === '') return undefined
  const text = JSON.stringify(body, (name, value: unknown) => (isSecret(name, value) ? HIDDEN : value))
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

function isSecret(name: string, value: unknown): boolean {
  if (typeof value !== 'string' || !SECRETS.has(name)) return false
  return name !== 'code' || !value.startsWith('ERR_')
}
