import { WeappError } from '../errors.js'

/** What there is to say when others change the same thing again and again, and no try has got through. */
export function changedAllTheTime(): WeappError {
  return new WeappError('ERR_STORE_UNAVAILABLE', 'Somebody else changes this all the time. Please try again.')
}
