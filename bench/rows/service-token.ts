import { type Bench, type Row, verdictOf, withProcesses } from '../bench.js'
import { figure } from '../statistics.js'
import type { VerificationCpu } from '../token-verifier.js'

/** Row 9: what another service pays for a token. */
export async function serviceTokenRow(bench: Bench): Promise<Row> {
  bench.progress('verifies service tokens')
  const { ours, bare } = await withProcesses((start) =>
    start('token-verifier').ask<VerificationCpu>('compare', bench.isQuick ? 15 : 101),
  )
  bench.figures.serviceToken = { ours, bare }
  return {
    number: 9,
    measured: `${figure(ours)} µs, ${figure(ours / bare)} ×`,
    verdict: verdictOf(ours / bare <= 1.1),
  }
}
