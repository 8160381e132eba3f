import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { root } from './source-tree.js'

type SandboxModule = typeof import('../../sandbox/index.js')

/** The package as `npm publish` would send it. */
export interface PackedPackage {
  readonly tarball: string
  /** Paths inside the package. */
  readonly files: readonly string[]
  /** Where it lies unpacked. */
  readonly folder: string
  /** `weapp-session/sandbox` of this very tarball. */
  readonly sandbox: SandboxModule
}

export const run = promisify(execFile)

const notCopied = new Set(['node_modules', '.git', 'dist', 'coverage'])
const folders = new Set<string>()
let packed: Promise<PackedPackage> | undefined

/** Packs once for all specs, from a copy: the checkout stays as it is, also for who packs it meanwhile. */
export function packedPackage(): Promise<PackedPackage> {
  packed ??= pack()
  return packed
}

/** A folder that is gone when the process is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weapp-session-package-'))
  folders.add(folder)
  return folder
}

export async function unpack(tarball: string, folder: string): Promise<void> {
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder])
}

async function pack(): Promise<PackedPackage> {
  const source = temporaryFolder()
  cpSync(root, source, { recursive: true, filter: (path) => path === root || !notCopied.has(basename(path)) })
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'), 'dir')
  const target = temporaryFolder()
  const env = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' }
  const args = ['pack', '--silent', '--pack-destination', target]
  const { stdout } = await run('npm', args, { cwd: source, env }).catch(saidWhy)
  const tarball = join(target, stdout.trim().split('\n').at(-1) ?? '')
  const { stdout: list } = await run('tar', ['-tzf', tarball])
  const files = list.trim().split('\n')
  await unpack(tarball, target)
  const sandboxUrl = pathToFileURL(join(target, 'dist/sandbox/index.js')).href
  return {
    tarball,
    files: files.map((path) => path.replace(/^package\//, '')),
    folder: target,
    sandbox: (await import(sandboxUrl)) as SandboxModule,
  }
}

/** What a compiler has to say stands on stdout, which the error of `execFile` leaves out. */
export function saidWhy(error: Error & { stdout?: string }): never {
  throw new Error(`${error.message}\n${error.stdout ?? ''}`, { cause: error })
}

process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})
