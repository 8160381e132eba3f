const JSON_STRING = /"(?:[^"\\]|\\.)*"/gs
const NICKNAME = /(?<="nickName"\s*:\s*)"(?:[^"\\]|\\.)*"/gs
const ESCAPED_OR_CONTROL = /\\.|\p{Cc}/gsu

/** Where unescaped control characters are allowed. */
export type ControlsAllowed = 'everywhere' | 'nickname'

/**
 * Parses JSON in which WeChat has left control characters unescaped, as it does in nicknames. In encrypted
 * JSON, which nobody has signed, any other place for them is a place for a forgery.
 */
export function parseLenientJson(json: string, where: ControlsAllowed): unknown {
  if (!hasControls(json)) return JSON.parse(json)
  return JSON.parse(json.replace(where === 'nickname' ? NICKNAME : JSON_STRING, withControlsEscaped))
}

function withControlsEscaped(text: string): string {
  return text.replace(ESCAPED_OR_CONTROL, (part) =>
    part.length > 1 ? part : JSON.stringify(part).slice(1, -1),
  )
}

export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
