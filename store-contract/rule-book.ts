/** Collects rules by the two functions of a test runner. */
export interface RuleBook {
  /** The beginning of the names of the rules inside. */
  describe(subject: string, rules: () => void): void
  it(sentence: string, check: () => Promise<void>): void
}

export interface WrittenRule {
  readonly name: string
  readonly check: () => Promise<void>
}

/** Returns the rules that `parts` defines, in order. */
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
