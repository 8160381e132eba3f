import { cleaned } from './profile-text.js'

const MOST_CHARACTERS = 64
/** What is longer is cut before it is cleaned, so that a long body costs nothing. */
const MOST_READ = 512
/** What ends a text or an attribute in HTML. */
const MARKUP = /[<>&"'`]/g

/**
 * Returns what is kept of a device: one line of up to 64 characters, without invisible ones and markup, so
 * that a page that forgets to escape is not attacked. Undefined when nothing is left.
 */
export function deviceNote(given: string): string | undefined {
  const line = cleaned(given.slice(0, MOST_READ).replace(MARKUP, ' ')).replace(/\s+/g, ' ')
  // Cleaned again, as the cut may have left half of an emoji.
  return cleaned([...line].slice(0, MOST_CHARACTERS).join('')) || undefined
}
