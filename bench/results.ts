import type { Row } from './bench.js'
import type { Figures } from './figures.js'
import type { machine } from './machine.js'

/** What `results.json` holds: the last whole run. */
export interface Results extends ReturnType<typeof machine> {
  /** When it began, in ISO 8601. */
  readonly date: string
  /** What was typed. */
  readonly command: string
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly figures: Figures
}
