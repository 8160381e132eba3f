import {
  type CountedValue,
  checkInTime,
  MOST_COUNTED,
  type StoredValue,
  type ValueAddition,
  type ValueChange,
  type ValueOutcome,
} from '../sessions/store.js'
import { ExpiringMap } from './expiring-map.js'

const DIGITS = /^\d{1,15}$/

interface MemoryValuesParts {
  readonly mostValues: number
  /** The time in milliseconds since 1970. */
  readonly now: () => number
  /** The time in microseconds since 1970, each one later than the one before. */
  readonly nextMoment: () => number
}

/** The shared values of a `MemoryStore`. */
export class MemoryValues {
  readonly #parts: MemoryValuesParts
  readonly #values: ExpiringMap<Pick<StoredValue, 'text' | 'writtenAt'>>

  constructor(parts: MemoryValuesParts) {
    this.#parts = parts
    this.#values = new ExpiringMap(parts.mostValues)
  }

  read(id: string): StoredValue | null {
    return this.#at(id, this.#parts.now())
  }

  replace({ id, from, to, keepMs }: ValueChange, withinMs?: number): ValueOutcome {
    if (from === null && to !== null && keepMs === undefined)
      throw new TypeError('MemoryStore: a new value needs keepMs')
    checkInTime(withinMs)
    const now = this.#parts.now()
    const found = this.#at(id, now)
    if ((found?.text ?? null) !== from) return { isReplaced: false, value: found }
    if (to === null) this.#values.delete(id)
    else this.#write(id, to, now + (keepMs ?? found?.leftMs ?? 0))
    return { isReplaced: true, value: this.#at(id, now) }
  }

  add({ id, add, keepMs }: ValueAddition, withinMs?: number): CountedValue {
    checkInTime(withinMs)
    const now = this.#parts.now()
    const found = this.#at(id, now)
    const number = Math.min(Math.max(0, numberIn(found) + add), MOST_COUNTED)
    const newMs = Math.max(0, Math.floor(keepMs))
    // What would last longer than what begins now began before the clock was set back.
    const keptMs = found && (newMs > 0 ? Math.min(newMs, found.leftMs) : found.leftMs)
    const leftMs = number > 0 ? (keptMs ?? newMs) : 0
    if (leftMs === 0) this.#values.delete(id)
    else this.#write(id, String(number), now + leftMs)
    return { number, leftMs }
  }

  sweep(now: number): void {
    this.#values.sweep(now)
  }

  #at(id: string, now: number): StoredValue | null {
    const kept = this.#values.get(id, now)
    return kept ? { ...kept.value, leftMs: kept.endsAt - now } : null
  }

  #write(id: string, text: string, endsAt: number): void {
    this.#values.set(id, { text, writtenAt: this.#parts.nextMoment() }, endsAt)
  }
}

function numberIn(found: StoredValue | null): number {
  return found && DIGITS.test(found.text) ? Number(found.text) : 0
}
