import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from './root.js'

/** Where and with what it was measured. */
export function machine(redisVersion: string) {
  const [cpu] = cpus()
  const { node, v8 } = process.versions
  const versions: Record<string, string> = { node, v8, 'redis-server': redisVersion, ...packageVersions() }
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    system: type(),
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
    versions,
  }
}

function packageVersions(): Record<string, string> {
  const { dependencies } = manifest('bench')
  const names = Object.keys(dependencies ?? {})
  const installed = names.map((name) => [name, manifest(`bench/node_modules/${name}`).version ?? 'unknown'])
  return { 'weapp-session': manifest('.').version ?? 'unknown', ...Object.fromEntries(installed) }
}

function manifest(folder: string): { version?: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}
