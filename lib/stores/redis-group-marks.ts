import { groupIn } from '../sessions/token.js'
import { unexpectedReply } from './redis-lines.js'

const MARKS = /^\d{16}(?:\n[\w-]{4}\d{16})*$/

/** The marks of everybody and of groups, in microseconds since 1970. */
export class GroupMarks {
  readonly #everybody: number
  /** Without those that the mark of everybody makes superfluous. */
  readonly #groups = new Map<string, number>()

  private constructor(everybody: number, groups: Iterable<readonly [string, number]>) {
    this.#everybody = everybody
    for (const [group, mark] of groups) if (mark > this.of(group)) this.#groups.set(group, mark)
  }

  /** Reads the value of their key. */
  static from(text: string): GroupMarks {
    const marks = GroupMarks.in(text)
    if (marks) return marks
    throw unexpectedReply()
  }

  /** Does the same; undefined when the value is none of theirs. */
  static in(text: string): GroupMarks | undefined {
    if (!MARKS.test(text)) return undefined
    const [everybody, ...lines] = text.split('\n')
    return new GroupMarks(
      Number(everybody),
      lines.map((line) => [groupIn(line), Number(line.slice(-16))] as const),
    )
  }

  /** Returns the latest of each, as a mark never moves back. */
  latestWith(other: GroupMarks): GroupMarks {
    const everybody = Math.max(this.#everybody, other.#everybody)
    return new GroupMarks(everybody, [...this.#groups, ...other.#groups])
  }

  /** The latest mark for the users of a group; null: for all users. */
  of(group: string | null): number {
    const mark = group === null ? undefined : this.#groups.get(group)
    return mark ?? this.#everybody
  }
}
