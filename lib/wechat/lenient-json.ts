/** A text of JSON, be it a value or the name of a field. */
const TEXT = /"(?:[^"\\]|\\.)*"/gs
/** The one text of JSON that a user of WeChat chooses, behind its name. */
const NICKNAME = /(?<="nickName"\s*:\s*)"(?:[^"\\]|\\.)*"/gs
/** What is escaped already, or a control character. */
const ESCAPED_OR_CONTROL = /\\.|\p{Cc}/gsu

/** In which texts of a JSON control characters may stand as they are. */
export type ControlsAllowed = 'everywhere' | 'nickname'

/**
 * Parses JSON in which WeChat has put control characters into texts as they are, though JSON wants them escaped; so it does with
 * nicknames. `'nickname'` takes them there and nowhere else: where nobody signed the JSON, each place for them is one for a forgery.
 */
export function parseLenientJson(json: string, where: ControlsAllowed): unknown {
  return JSON.parse(json.replace(where === 'nickname' ? NICKNAME : TEXT, withControlsEscaped))
}

function withControlsEscaped(text: string): string {
  return text.replace(ESCAPED_OR_CONTROL, (part) =>
    part.length > 1 ? part : JSON.stringify(part).slice(1, -1),
  )
}

/** Whether there is a control character in a text. */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
