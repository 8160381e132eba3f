/** A JSON string, as a value or as the name of a field. */
const TEXT = /"(?:[^"\\]|\\.)*"/gs
/** The one JSON string that a WeChat user chooses, after its name. */
const NICKNAME = /(?<="nickName"\s*:\s*)"(?:[^"\\]|\\.)*"/gs
/** An escape sequence, or a control character. */
const ESCAPED_OR_CONTROL = /\\.|\p{Cc}/gsu

/** Which JSON strings may contain unescaped control characters. */
export type ControlsAllowed = 'everywhere' | 'nickname'

/**
 * Parses JSON in which WeChat has left control characters unescaped, as it does in nicknames. `'nickname'`
 * allows them there and nowhere else: where nobody signed the JSON, every place for them is a place for a
 * forgery.
 */
export function parseLenientJson(json: string, where: ControlsAllowed): unknown {
  return JSON.parse(json.replace(where === 'nickname' ? NICKNAME : TEXT, withControlsEscaped))
}

function withControlsEscaped(text: string): string {
  return text.replace(ESCAPED_OR_CONTROL, (part) =>
    part.length > 1 ? part : JSON.stringify(part).slice(1, -1),
  )
}

/** Whether a string contains a control character. */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
