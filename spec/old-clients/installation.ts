import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Installs the old clients where they are missing or older than their lockfile. Throws one sentence when that fails. */
export function installOldClients(directory: string = here): void {
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
    `The tests need the old clients, but \`npm ci\` failed (${reason}): run it in ${directory} to see why.`,
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
