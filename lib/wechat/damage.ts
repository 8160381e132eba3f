import { isJsonObject, type JsonObject } from '../json-object.js'
import { type ControlsAllowed, parseLenientJson } from './lenient-json.js'

/** What programs do to a text of WeChat's on its way, and how that is seen. */
const DAMAGES: readonly (readonly [what: string, isSeen: (text: string) => boolean])[] = [
  [
    'it was not there, or no text, when it was sent',
    (text) => /^(?:undefined|null|\[object \w+\]|)$/.test(text),
  ],
  ['it is percent-encoded', (text) => /%[0-9a-f]{2}/i.test(text)],
  ['it is escaped for HTML', (text) => /&(?:\w+|#\w+);/.test(text)],
  ['it is in the alphabet of base64 for addresses', (text) => /^(?=.*[-_])[\w-]+={0,2}$/.test(text)],
  ['it went through JSON.stringify once more', (text) => typeof jsonIn(text, 'everywhere') === 'string'],
]

/** What was done to a text that is not what it should be, for the end of a sentence; nothing where that cannot be seen. */
export function damageOf(text: string): string {
  const [what] = DAMAGES.find(([, isSeen]) => isSeen(text)) ?? []
  return what === undefined ? '' : `: ${what}. Send it as WeChat gave it`
}

/** The fields of a text that is a JSON object, with control characters in its texts where that is allowed; undefined for any other text. */
export function fieldsIn(text: string, where: ControlsAllowed): JsonObject | undefined {
  const value = jsonIn(text, where)
  return isJsonObject(value) ? value : undefined
}

function jsonIn(text: string, where: ControlsAllowed): unknown {
  try {
    return parseLenientJson(text, where)
  } catch {
    return undefined
  }
}
