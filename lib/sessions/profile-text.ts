const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const ADDRESS_NAME = /(?:ur[il]|href|link|src)s?\d*$/i
/** Tabs and line ends, which separate words. */
const LINE_ENDS = /[\t-\r\x85]+/g
/** Control and format characters such as direction marks, blank letters, line separators, lone surrogates. */
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`
/** Variation selectors of an emoji or keycap, and the joiner of two emoji. */
const EMOJI_STYLE = String.raw`(?<=\p{Extended_Pictographic})(?:\uFE0E|\uFE0F)|(?<=[\d#*])\uFE0F(?=\u20E3)`
const EMOJI_JOINER = String.raw`(?<=\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier})\u200D(?=\p{Extended_Pictographic})`
/** Scripts whose letters are shaped by the joiners between them. */
const SHAPED = String.raw`(?!${UNSEEN})[\p{scx=Arab}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Gujr}\p{scx=Guru}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Mymr}\p{scx=Khmr}]`
const LETTER_SHAPE = String.raw`(?<=${SHAPED})[\u200C\u200D\u180B-\u180F](?=${SHAPED})|(?<=[\u094D\u0D4D\u0DCA])\u200D(?!${UNSEEN})`
/** Variation selectors of a Chinese character. */
const IDEOGRAPH_FORM = String.raw`(?<=\p{Unified_Ideograph})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]`
/** Visible format characters of Arabic and related scripts. */
const SEEN_SIGNS = String.raw`[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2]`
const KEPT = [EMOJI_STYLE, EMOJI_JOINER, LETTER_SHAPE, IDEOGRAPH_FORM, SEEN_SIGNS].join('|')
/** Made when it is first used: it takes more time than anything else at the import of the package. */
let toRemove: RegExp | undefined
/** Combining marks piled up on a letter cover the lines around it. */
const PILED_MARKS = /(\p{M}{8})\p{M}+/gu

/** Names of identity and of what only the server sets. They are never taken from a profile. */
// biome-ignore format: a list
const RESERVED = [
  'openid', 'unionid', 'opengid', 'appid', 'sessionid', 'sessionkey',
  'watermark', 'verified', 'isverified', 'proto',
]
const RESERVED_NAMES: ReadonlySet<string> = new Set(RESERVED)
const RESERVED_LOOKS: ReadonlySet<string> = new Set(RESERVED.map(looksOf))

/** Whether a field may have this name: short, ASCII, and not a property of every object (`toString`). */
export function isFieldName(name: string): boolean {
  return NAME.test(name) && !(name in Object.prototype)
}

/** Whether a name is reserved in any spelling, such as `open_id`. */
export function isReserved(name: string): boolean {
  return RESERVED_NAMES.has(plain(name))
}

/** Whether a name looks like a reserved one: `0penId`, `openld`. */
export function isLookAlike(name: string): boolean {
  return RESERVED_LOOKS.has(looksOf(name))
}

/** Whether a field of this name holds an address. */
export function namesAddress(name: string): boolean {
  return ADDRESS_NAME.test(name)
}

/** Puts a text on one line, without invisible characters (but for those that emoji and letters need). */
export function cleaned(text: string): string {
  toRemove ??= new RegExp(`(?!${KEPT})${UNSEEN}`, 'gu')
  return text.replace(LINE_ENDS, ' ').replace(toRemove, '').replace(PILED_MARKS, '$1').trim()
}

function plain(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase()
}

/** Unites letters and digits that look alike. */
function looksOf(name: string): string {
  return plain(name)
    .replace(/[1l]/g, 'i')
    .replaceAll('0', 'o')
    .replaceAll('3', 'e')
    .replaceAll('4', 'a')
    .replaceAll('5', 's')
    .replaceAll('7', 't')
    .replaceAll('vv', 'w')
    .replaceAll('ci', 'd')
    .replaceAll('rn', 'm')
}
