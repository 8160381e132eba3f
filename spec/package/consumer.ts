import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { packedPackage, run, saidWhy, temporaryFolder, unpack } from './packed-package.js'
import { root } from './source-tree.js'

/** A project of somebody who installed the package. */
export interface ConsumerOptions {
  /** What it is written in, by path; values that are no text are written as JSON. */
  readonly files: Readonly<Record<string, string | object>>
  /** What is installed beside the package: names, each the same in our node_modules unless said otherwise. */
  readonly installed: Readonly<Record<string, string>>
}

/** A program of a consumer that listens. */
export interface RunningProgram {
  readonly url: string
  /** Ends it and answers what it wrote to stderr. */
  end(): Promise<string>
}

/** Types that a TypeScript project installs, with all that they refer to. */
export const typesInstalled = {
  '@types/express': '@types/express',
  '@types/node': '@types/node',
} as const

/** How a TypeScript project is compiled: strict, our own declarations included. */
export const strictTsconfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
  },
} as const

/** What people write above a bundle that is an ES module and has CommonJS packages inside. */
export const requireInside =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** What npm installs along with the package. */
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>
}

/** Puts a project together without asking a registry. Answers its folder. */
export async function createConsumer({ files, installed }: ConsumerOptions): Promise<string> {
  const folder = temporaryFolder()
  const own = join(folder, 'node_modules/weapp-session')
  mkdirSync(own, { recursive: true })
  await unpack((await packedPackage()).tarball, own)
  const links = { ...Object.fromEntries(Object.keys(dependencies).map((name) => [name, name])), ...installed }
  for (const [name, source] of Object.entries(links)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', source), link, 'dir')
  }
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

/** Runs tsc as the project would. Throws what it says. */
export async function compile(folder: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', '.'], { cwd: folder }).catch(saidWhy)
}

/** Runs a program that prints its port once it listens. It sees the given environment only. */
export async function startProgram(
  folder: string,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningProgram> {
  const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit')
  const errors = text(child.stderr)
  const lines = createInterface({ input: child.stdout })
  const port = await Promise.race([once(lines, 'line').then(([line]) => String(line)), exit.then(() => '')])
  if (port === '') throw new Error(`${file} ended before it listened:\n${await errors}`)
  return {
    url: `http://127.0.0.1:${port}`,
    async end() {
      child.kill()
      await exit
      return errors
    },
  }
}
