import { join } from 'node:path'
import { run, saidWhy } from './packed-package.js'
import { root } from './source-tree.js'

const folder = '../spec/package/hosts/node_modules'

/** Packages of the hosts, as a consumer installs them. */
export function ofHosts<const Names extends readonly string[]>(...names: Names): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${folder}/${name}`]))
}

/** Where a program of one of the hosts is. */
export function hostProgram(path: string): string {
  return join(root, 'node_modules', folder, path)
}

/** Runs a program of one of the hosts in the project of a consumer. Throws what it says. */
export async function runHost(
  program: string,
  project: string,
  { args = [], nodeOptions = [] }: { args?: readonly string[]; nodeOptions?: readonly string[] } = {},
): Promise<void> {
  await run(process.execPath, [...nodeOptions, hostProgram(program), ...args], { cwd: project }).catch(
    saidWhy,
  )
}
