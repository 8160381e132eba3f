import { parseArgs } from 'node:util'
import { soak } from './soak/soak.js'
import { isSound, resultTables } from './soak/table.js'

/* What `npm run soak` runs. */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' } },
})
const minutes = positive('minutes', values.minutes)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : positive('seed', values.seed)
const say = (line: string) => void process.stdout.write(`${line}\n`)

say(`${minutes} minutes, seed ${seed}`)
const results = await soak({ minutes, seed, say })
say(`\n${resultTables(results)}`)
process.exit(isSound(results) ? 0 : 1)

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  process.stderr.write(`--${name} must be a positive number\n`)
  process.exit(1)
}
