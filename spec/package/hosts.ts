import { join } from 'node:path'
import { run, saidWhy } from './packed-package.js'
import { root } from './source-tree.js'

const folder = '../spec/package/hosts/node_modules'

/** Packages of the hosts, as a consumer installs them. */
export function ofHosts<const Names extends readonly string[]>(...names: Names): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${folder}/${name}`]))
}

/** Runs a program of one of the hosts in the project of a consumer. Returns what it prints, or throws it. */
export async function runHost(
  program: string,
  project: string,
  { args = [], nodeOptions = [] }: { args?: readonly string[]; nodeOptions?: readonly string[] } = {},
): Promise<string> {
  const path = join(root, 'node_modules', folder, program)
  const command = [...nodeOptions, path, ...args]
  const { stdout, stderr } = await run(process.execPath, command, { cwd: project }).catch(saidWhy)
  return `${stdout}${stderr}`
}
