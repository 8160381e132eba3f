import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that tests need and npm does not bring. */
export interface NeededProgram {
  /** What people call it. */
  readonly title: string
  /** The names under which it may lie on the PATH, best first. */
  readonly names: readonly string[]
  /** The environment variable that may name another one. */
  readonly variable: string
  readonly oldest: string
  /** What installs it on Debian. */
  readonly debianPackages: readonly string[]
  /** What somebody types who has to install it himself. */
  readonly commands: string
  /** The version in what `--version` prints; undefined when it is something else. */
  parseVersion(text: string): string | undefined
  /** Takes back what the package does beyond installing. */
  afterInstall?(): void
}

/** What the choice of a program depends on, so that a spec can stand in for the machine. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>
  /** What `path --version` prints, or undefined when there is no such program. */
  versionOf(path: string): string | undefined
  /** The text of /etc/os-release, or '' where there is none. */
  osRelease: string
  isRoot: boolean
}

export type Plan = { use: string } | { install: 'apt-get' } | { stop: string }

export function planProgram(program: NeededProgram, machine: Machine): Plan {
  const path = machine.env[program.variable] || lookUp(program, machine)
  if (path) return judge(path, program, machine.versionOf(path))
  if (machine.isRoot && isDebianLike(machine.osRelease)) return { install: 'apt-get' }
  const { title, oldest } = program
  return { stop: `The tests need ${title} ${oldest} or newer and found none: ${remedyFor(program)}` }
}

/** The path of a program the tests can use; throws one sentence that says what to install. */
export function findProgram(program: NeededProgram, machine: Machine = thisMachine()): string {
  const plan = planProgram(program, machine)
  if ('use' in plan) return plan.use
  if ('stop' in plan) throw new Error(plan.stop)
  installWithAptGet(program)
  // Once is enough: without root the second look cannot plan another installation.
  return findProgram(program, { ...thisMachine(), isRoot: false })
}

export function isRecentEnough(version: string, oldest: string): boolean {
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0
}

function judge(path: string, program: NeededProgram, versionText: string | undefined): Plan {
  const { title, oldest, variable, parseVersion } = program
  const version = versionText === undefined ? undefined : parseVersion(versionText)
  if (!version) return { stop: `${path} is no ${title} that runs: ${remedyFor(program)}` }
  if (isRecentEnough(version, oldest)) return { use: path }
  const needed = `the tests need ${oldest} or newer: set ${variable}=/path/to/${program.names[0]}.`
  return { stop: `${path} is ${title} ${version}, but ${needed}` }
}

function remedyFor({ commands, variable, names }: NeededProgram): string {
  return `install it with ${commands}, or set ${variable}=/path/to/${names[0]}.`
}

function lookUp({ names }: NeededProgram, { env, versionOf }: Machine): string | undefined {
  const directories = (env.PATH ?? '').split(delimiter).filter(Boolean)
  const paths = names.flatMap((name) => directories.map((directory) => join(directory, name)))
  return paths.find((path) => versionOf(path) !== undefined)
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

function installWithAptGet(program: NeededProgram): void {
  process.stderr.write(`${program.title} is missing: installing it with apt-get.\n`)
  aptGet(program, 'update')
  aptGet(program, 'install', '-y', '--no-install-recommends', ...program.debianPackages)
  program.afterInstall?.()
}

function aptGet(program: NeededProgram, ...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync('apt-get', args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status === 0) return
  throw new Error(`\`apt-get ${args.join(' ')}\` failed: ${remedyFor(program)}\n${error?.message ?? stderr}`)
}
