import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

export interface Counts {
  passed: number
  failed: number
  /** The title of each test that failed, and its error. */
  failures: string[]
}

const leakDeadline = 10_000

/** Mocha's own report, and in the file that COUNTS_FILE names the counts and what failed. */
class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const counts = {
        passed: this.stats.passes,
        failed: this.stats.failures,
        failures: this.failures.map(describe),
      }
      writeCounts(counts)
      setTimeout(() => failForLeak(counts), leakDeadline).unref()
    })
  }
}

function describe(test: Mocha.Test): string {
  return `${test.fullTitle()}\n${test.err?.stack ?? test.err?.message ?? 'without an error'}`
}

// The timer holds nothing open: it fires only when something else does, long after the last test.
function failForLeak({ passed, failed, failures }: Counts): void {
  const left = process.getActiveResourcesInfo().join(', ')
  const leak = `The tests are over, but the process goes on; they left open: ${left}.`
  process.stderr.write(`${leak}\n`)
  writeCounts({ passed, failed: failed + 1, failures: [...failures, leak] })
  process.exit(1)
}

function writeCounts(counts: Counts): void {
  const file = process.env.COUNTS_FILE
  if (file) writeFileSync(file, JSON.stringify(counts))
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter from the default export.
export default CountingReporter
