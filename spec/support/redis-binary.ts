import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const oldest = '6.2'
const remedy =
  'install it with `sudo apt-get install redis-server` or `brew install redis`, or set REDIS_SERVER=/path/to/redis-server.'

/** What the choice of a redis-server depends on, so that a spec can stand in for the machine. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>
  /** What `path --version` prints, or undefined when there is no such program. */
  versionOf(path: string): string | undefined
  /** The text of /etc/os-release, or '' where there is none. */
  osRelease: string
  isRoot: boolean
}

export type RedisServerPlan = { use: string } | { install: 'apt-get' } | { stop: string }

export function planRedisServer(machine: Machine): RedisServerPlan {
  const path = machine.env.REDIS_SERVER || lookUp('redis-server', machine)
  if (path) return judge(path, machine.versionOf(path))
  if (machine.isRoot && isDebianLike(machine.osRelease)) return { install: 'apt-get' }
  return { stop: `The tests need redis-server ${oldest} or newer and found none: ${remedy}` }
}

/** The path of a redis-server the tests can use; throws one sentence that says what to install. */
export function findRedisServer(machine: Machine = thisMachine()): string {
  const plan = planRedisServer(machine)
  if ('use' in plan) return plan.use
  if ('stop' in plan) throw new Error(plan.stop)
  installWithAptGet()
  // Once is enough: without root the second look cannot plan another installation.
  return findRedisServer({ ...thisMachine(), isRoot: false })
}

/** 'Redis server v=7.0.15 sha=…' and 'Valkey server v=8.0.1 sha=…' alike. */
export function parseVersion(text: string): string | undefined {
  return /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1]
}

export function isRecentEnough(version: string): boolean {
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0
}

function judge(path: string, versionText: string | undefined): RedisServerPlan {
  const version = versionText === undefined ? undefined : parseVersion(versionText)
  if (!version) return { stop: `${path} is not a redis-server that runs: ${remedy}` }
  if (isRecentEnough(version)) return { use: path }
  return {
    stop: `${path} is Redis ${version}, but the tests need ${oldest} or newer: set REDIS_SERVER=/path/to/redis-server.`,
  }
}

function lookUp(name: string, { env, versionOf }: Machine): string | undefined {
  const directories = (env.PATH ?? '').split(delimiter).filter(Boolean)
  return directories.map((directory) => join(directory, name)).find((path) => versionOf(path) !== undefined)
}

function isDebianLike(osRelease: string): boolean {
  const names = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap(([, ids = '']) =>
    ids.split(' '),
  )
  return names.includes('debian') || names.includes('ubuntu')
}

function thisMachine(): Machine {
  return {
    env: process.env,
    versionOf: printedVersion,
    osRelease: readOsRelease(),
    isRoot: process.getuid?.() === 0,
  }
}

function printedVersion(path: string): string | undefined {
  const { error, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return error ? undefined : stdout
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

function installWithAptGet(): void {
  process.stderr.write('redis-server is missing: installing it with apt-get.\n')
  aptGet('update')
  aptGet('install', '-y', '--no-install-recommends', 'redis-server')
  // The package may start a service of its own, which nobody here asked for.
  spawnSync('service', ['redis-server', 'stop'], { stdio: 'ignore' })
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync('apt-get', args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`\`apt-get ${args.join(' ')}\` failed: ${remedy}\n${error?.message ?? stderr}`)
}
