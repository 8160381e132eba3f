import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

export interface Counts {
  passed: number
  failed: number
}

const leakDeadline = 10_000

/** Mocha's own report, and the counts in the file that COUNTS_FILE names. */
class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats
      writeCounts({ passed: passes, failed: failures })
      setTimeout(() => failForLeak({ passed: passes, failed: failures + 1 }), leakDeadline).unref()
    })
  }
}

// The timer holds nothing open: it fires only when something else does, long after the last test.
function failForLeak(counts: Counts): void {
  const left = process.getActiveResourcesInfo().join(', ')
  process.stderr.write(`The tests are over, but the process goes on; they left open: ${left}.\n`)
  writeCounts(counts)
  process.exit(1)
}

function writeCounts(counts: Counts): void {
  const file = process.env.COUNTS_FILE
  if (file) writeFileSync(file, JSON.stringify(counts))
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter from the default export.
export default CountingReporter
