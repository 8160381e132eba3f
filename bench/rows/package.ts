import { execFile } from 'node:child_process'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packedPackage } from '../../spec/package/packed-package.js'
import { type Bench, type Row, verdictOf } from '../bench.js'
import { root } from '../root.js'
import { figure, median } from '../statistics.js'

const run = promisify(execFile)

/** Prints how long the import took, and the CPU that it used, in milliseconds. */
const SCRIPT = `
import 'express'
const [time, cpu] = [process.hrtime.bigint(), process.cpuUsage()]
await import('./dist/index.js')
const { user, system } = process.cpuUsage(cpu)
process.stdout.write(JSON.stringify([Number(process.hrtime.bigint() - time) / 1e6, (user + system) / 1e3]))
`

/** Row 10: the size of the package, and what it takes to import it where Express is imported already. */
export async function packageRow(bench: Bench): Promise<Row> {
  bench.progress('packs the package')
  const { tarball, folder } = await packedPackage()
  const kilobytes = statSync(tarball).size / 1000
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'import.mjs'), SCRIPT)
  const times: number[] = []
  const cpus: number[] = []
  const starts = bench.isQuick ? 5 : 21
  // The first one reads the files from the disk.
  for (let start = 0; start <= starts; start += 1) {
    bench.progress(`imports the package, ${start} of ${starts}`)
    const { stdout } = await run(process.execPath, ['import.mjs'], { cwd: folder })
    const [time, cpu] = JSON.parse(stdout) as [number, number]
    if (start === 0) continue
    times.push(time)
    cpus.push(cpu)
  }
  const [importMs, cpuMs] = [median(times), median(cpus)]
  bench.figures.package = { kilobytes, importMs, cpuMs }
  return {
    number: 10,
    measured: `${figure(kilobytes)} kB; ${figure(importMs)} ms`,
    verdict: verdictOf(kilobytes <= 130 && importMs <= 30),
  }
}
