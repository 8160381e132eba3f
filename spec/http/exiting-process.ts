import { exitOnSignals } from '../../lib/index.js'

/* A process of its own whose shutdown goes as its argument says; it prints when it may be told to end. */

const ends: Readonly<Record<string, () => unknown>> = {
  'comes to its end': () => undefined,
  fails: async () => {
    throw new RangeError('redis://:a-planted-password@10.0.0.1 is gone')
  },
  hangs: () => new Promise(() => undefined),
}

exitOnSignals(ends[process.argv[2] ?? ''] ?? (() => undefined), { withinMs: Number(process.argv[3]) })
setInterval(() => undefined, 1000)
process.stdout.write('ready\n')
