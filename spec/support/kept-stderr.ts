/** Lines that are kept from stderr. */
export interface KeptStderr {
  readonly lines: readonly string[]
  /** Lets stderr have what comes from now on. */
  end(): void
}

/** Keeps what the process writes to stderr, each time as one of the lines. */
export function keepStderr(): KeptStderr {
  const { write } = process.stderr
  const lines: string[] = []
  process.stderr.write = ((line: string) => lines.push(line)) as unknown as typeof write
  return {
    lines,
    end() {
      process.stderr.write = write
    },
  }
}
