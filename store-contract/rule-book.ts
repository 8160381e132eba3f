/** Where the parts of the contract write their rules: the two functions that they know from a test runner. */
export interface RuleBook {
  /** What the rules inside are about. Their sentences go on from it. */
  describe(subject: string, rules: () => void): void
  it(sentence: string, check: () => Promise<void>): void
}

/** A sentence about stores, and how it is checked. */
export interface WrittenRule {
  readonly name: string
  readonly check: () => Promise<void>
}

/** The rules that the parts have written, in order. */
export function readRules(parts: (book: RuleBook) => void): WrittenRule[] {
  const rules: WrittenRule[] = []
  let words: readonly string[] = []
  parts({
    describe(subject, inner) {
      const outer = words
      words = [...outer, subject]
      inner()
      words = outer
    },
    it(sentence, check) {
      rules.push({ name: [...words, sentence].join(' '), check })
    },
  })
  return rules
}
