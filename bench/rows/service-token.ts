import { type Bench, figure, type Row, verdictOf, withProcesses } from '../bench.js'
import type { VerificationCpu } from '../token-verifier.js'

/** Row 9: what another service pays for a token. */
export async function serviceTokenRow(bench: Bench): Promise<Row> {
  bench.progress('verifies service tokens')
  const { ours, bare } = await withProcesses((start) =>
    start('token-verifier').ask<VerificationCpu>('compare', bench.isQuick ? 15 : 101),
  )
  bench.figures['CPU to verify a service token, in microseconds'] = { ours, bare }
  return {
    number: 9,
    what: 'Verifying a service token (ES256)',
    target: '≤ 1.1 × jsonwebtoken with a KeyObject',
    measured: `${figure(ours)} and ${figure(bare)} µs: ${figure(ours / bare)} ×`,
    verdict: verdictOf(ours / bare <= 1.1),
  }
}
