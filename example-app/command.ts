#!/usr/bin/env node
// What `npx weapp-session` runs, from the published package: the app on a fake WeChat, with its page.
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { RequestHandler } from 'express'
import { MemoryStore } from 'weapp-session'
import { assembleApp } from './assemble-app.js'
import { CONTENT_SECURITY_POLICY } from './content-security-policy.js'
import { createMemoryUsers } from './memory-users.js'
import { openSandboxRuntime } from './sandbox-runtime.js'
import { endBecauseOf, serve } from './serve.js'
import type { PageFiles } from './showcase/page-files.js'
import { NO_SOURCES } from './showcase/sources.js'

const USAGE = `Usage: npx weapp-session sandbox

Starts a fake WeChat, a server with the login routes, and a page on which phones log in.
Nothing is kept: everything ends with the process.

  PORT=3000        the port of the server and its page
  HOST=127.0.0.1   the address to listen on

Documentation: README.md of the package weapp-session
`

const policy = Object.entries(CONTENT_SECURITY_POLICY).map(([name, values]) => [name, ...values].join(' '))
const headers: RequestHandler = (_req, res, next) => {
  res.set({ 'content-security-policy': policy.join(';'), 'x-content-type-options': 'nosniff' })
  next()
}

await run(process.argv.slice(2))

async function run(words: readonly string[]): Promise<void> {
  const unknown = words.find((word, index) => !(isHelp(word) || (word === 'sandbox' && index === 0)))
  if (unknown !== undefined) {
    process.stderr.write(`weapp-session: unknown word ${JSON.stringify(unknown)}; known: sandbox, --help\n`)
    process.exitCode = 2
  } else if (words.length === 0 || words.some(isHelp)) {
    process.stdout.write(USAGE)
  } else {
    await startSandbox().catch(endBecauseOf)
  }
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

async function startSandbox(): Promise<void> {
  const users = createMemoryUsers()
  const runtime = await openSandboxRuntime(process.env, {
    hooks: { onLogin: users.onLogin, onUserInfo: users.onUserInfo },
    store: 'memory',
    openStore: (clock) => new MemoryStore({ clock }),
    files: readPage(new URL('page/', import.meta.url)),
    sources: NO_SOURCES,
  })
  await serve('weapp-session sandbox', assembleApp({ ...runtime, users }, headers), runtime)
}

/** The page as the build has put it there, and the client, which it imports. */
function readPage(folder: URL): PageFiles {
  const files = readdirSync(folder).map((file) => {
    const name = file.replace(/\.br$/, '')
    const body = brotliDecompressSync(readFileSync(new URL(file, folder)))
    return [name === 'index.html' ? '/' : `/${name}`, { type: extname(name), body }] as const
  })
  return new Map([...files, ['/client.js', { type: '.js', body: Buffer.from(clientModule()) }]])
}

/** The client of the mini-program as an ES module. The package has it as CommonJS. */
function clientModule(): string {
  const code = readFileSync(new URL('client/index.js', import.meta.url), 'utf8')
  return `const module = {};\n${code}export const { ClientError, createClient } = module.exports\n`
}
