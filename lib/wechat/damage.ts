import { isJsonObject, type JsonObject } from '../json-object.js'
import { type ControlsAllowed, parseLenientJson } from './lenient-json.js'

const NOT_A_STRING = /^(?:undefined|null|\[object \w+\]|)$/

/** What happens to a string from WeChat on its way, and how to recognise it. */
const DAMAGES: readonly (readonly [what: string, isSeen: (text: string) => boolean])[] = [
  ['it was missing, or not a string, when it was sent', (text) => NOT_A_STRING.test(text)],
  ['it is percent-encoded', (text) => /%[0-9a-f]{2}/i.test(text)],
  ['it is escaped for HTML', (text) => /&(?:\w+|#\w+);/.test(text)],
  ['it is base64url, not base64', (text) => /^(?=.*[-_])[\w-]+={0,2}$/.test(text)],
  ['it went through JSON.stringify twice', (text) => typeof jsonIn(text, 'everywhere') === 'string'],
]

/** Returns what happened to a string, for the end of a sentence; an empty string where that is not clear. */
export function damageOf(text: string): string {
  const [what] = DAMAGES.find(([, isSeen]) => isSeen(text)) ?? []
  return what === undefined ? '' : `: ${what}. Send it exactly as WeChat returned it`
}

/** Returns the JSON object in a string, or undefined. */
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
