const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const ADDRESS_NAME = /ur[il]$|href$|link$|src$/i
const CONTROL = /\p{Cc}/u
/** Format characters such as those that turn the direction of a text, blank letters, line separators, and halves of a character. */
const UNSEEN = String.raw`[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`
/** What chooses the style of an emoji, and what joins two of them to one. */
const EMOJI_STYLE = String.raw`(?<=[\p{Extended_Pictographic}\d#*])(?:\uFE0E|\uFE0F)`
const EMOJI_JOINER = String.raw`(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D(?=\p{Extended_Pictographic})`
const TO_REMOVE = new RegExp(`(?!${EMOJI_STYLE}|${EMOJI_JOINER})${UNSEEN}`, 'gu')

/** Names of identity, and of what only the server says. They are never taken from a profile. */
const RESERVED = ['openid', 'unionid', 'sessionkey', 'watermark', 'verified', 'proto']
const RESERVED_NAMES: ReadonlySet<string> = new Set(RESERVED)
const RESERVED_LOOKS: ReadonlySet<string> = new Set(RESERVED.map(looksOf))

/** Whether a field may have this name: plain ASCII, and not what every JavaScript object has, such as `toString`. */
export function isFieldName(name: string): boolean {
  return NAME.test(name) && !(name in Object.prototype)
}

/** In any spelling: `open_id` would be taken for the identity as easily as `openId`. */
export function isReserved(name: string): boolean {
  return RESERVED_NAMES.has(plain(name))
}

/** Whether a person would read a name as a reserved one: `0penId`, `openld`. */
export function isLookAlike(name: string): boolean {
  return RESERVED_LOOKS.has(looksOf(name))
}

/** Whether a field is to hold an address. */
export function namesAddress(name: string): boolean {
  return ADDRESS_NAME.test(name)
}

/** Whether a text has control characters. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text)
}

/** The text without what nobody sees, but for what emoji are made of. */
export function cleaned(text: string): string {
  return text.replace(TO_REMOVE, '')
}

function plain(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase()
}

/** Letters and digits that are taken for each other become one. */
function looksOf(name: string): string {
  return plain(name)
    .replace(/[1l]/g, 'i')
    .replaceAll('0', 'o')
    .replaceAll('3', 'e')
    .replaceAll('4', 'a')
    .replaceAll('5', 's')
    .replaceAll('7', 't')
    .replaceAll('vv', 'w')
    .replaceAll('rn', 'm')
}
