import { fileURLToPath } from 'node:url'

/** A part of the suite: what one process of mocha runs. */
export interface Part {
  readonly title: string
  readonly specs: readonly string[]
  readonly ignored?: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What takes long enough to be run beside the rest. */
const APART: Readonly<Record<string, readonly string[]>> = {
  reliability: ['spec/reliability/**/*.spec.ts'],
  'the contract of stores on Redis': ['spec/stores/redis-store*.spec.ts'],
  'other stores': ['spec/stores/!(redis-store*).spec.ts'],
  'HTTP and attacks': ['spec/http/**/*.spec.ts', 'spec/attacks/**/*.spec.ts'],
  'the package': ['spec/package/**/*.spec.ts'],
}

/** What speaks HTTP. */
const ON_HTTP = ['attacks', 'http', 'protocols', 'recipes', 'example-app', 'old-clients']
/** Attacks on what knows no Express, by thousands of messages. */
const NOT_ON_EXPRESS = ['spec/attacks/random-splices.spec.ts', 'spec/attacks/splices-at-routes.spec.ts']

const allElse: Part = {
  title: 'Express 5: all else',
  specs: ['spec/**/*.spec.ts'],
  ignored: Object.values(APART).flat(),
  env: {},
}

const express4: Part = {
  title: 'Express 4',
  specs: ON_HTTP.map((folder) => `spec/${folder}/**/*.spec.ts`),
  ignored: NOT_ON_EXPRESS,
  env: { TSX_TSCONFIG_PATH: fileURLToPath(import.meta.resolve('./tsconfig.express4.json')) },
}

/** The whole suite on Express 5, and what speaks HTTP on Express 4 as well; what takes longest comes first. */
export const PARTS: readonly Part[] = [
  allElse,
  express4,
  ...Object.entries(APART).map(([what, specs]) => ({ title: `Express 5: ${what}`, specs, env: {} })),
]
