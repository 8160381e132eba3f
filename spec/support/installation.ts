import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the specs need and the package does not: folders with a lockfile of their own. */
const SEPARATE_FOLDERS = ['../old-clients', '../package/hosts']

/** Installs what the specs need besides the dependencies of the package. */
export function installSeparateFolders(): void {
  for (const folder of SEPARATE_FOLDERS) install(fileURLToPath(new URL(folder, import.meta.url)))
}

/** Installs what a lockfile names, where it is missing or older than that. Throws one sentence when that fails. */
export function install(directory: string): void {
  if (isInstalled(directory)) return
  const isWindows = process.platform === 'win32'
  const { error, status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    shell: isWindows,
    stdio: 'ignore',
  })
  if (status === 0 && isInstalled(directory)) return
  const reason = error ? error.message : `exit code ${status}`
  throw new Error(
    `The tests need what is installed in ${directory}, but \`npm ci\` failed (${reason}): run it there to see why.`,
  )
}

/** npm writes its hidden lockfile last, so that half an installation is none. */
export function isInstalled(directory: string): boolean {
  const installedAt = modifiedAt(join(directory, 'node_modules', '.package-lock.json'))
  const lockedAt = modifiedAt(join(directory, 'package-lock.json'))
  return installedAt !== undefined && lockedAt !== undefined && installedAt >= lockedAt
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
