#!/usr/bin/env node
// What `npx weapp-session` runs in the published package: the app with its page, on a fake WeChat.
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { RequestHandler } from 'express'
import { MemoryStore } from 'weapp-session'
import { assembleApp } from './assemble-app.js'
import { CONTENT_SECURITY_POLICY } from './content-security-policy.js'
import { createMemoryUsers } from './memory-users.js'
import { openSandboxRuntime } from './sandbox-runtime.js'
import { exitWith, serve } from './serve.js'
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

async function run(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg, index) => !(isHelp(arg) || (arg === 'sandbox' && index === 0)))
  if (unknown !== undefined) {
    process.stderr.write(
      `weapp-session: unknown argument ${JSON.stringify(unknown)}; known: sandbox, --help\n`,
    )
    process.exitCode = 2
  } else if (args.length === 0 || args.some(isHelp)) {
    process.stdout.write(USAGE)
  } else {
    await startSandbox().catch(exitWith)
  }
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h'
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

/** The page that the build has put there, and the client that the page imports. */
function readPage(folder: URL): PageFiles {
  const files = readdirSync(folder).map((file) => {
    const name = file.replace(/\.br$/, '')
    const body = brotliDecompressSync(readFileSync(new URL(file, folder)))
    return [name === 'index.html' ? '/' : `/${name}`, { type: extname(name), body }] as const
  })
  return new Map([...files, ['/client.js', { type: '.js', body: Buffer.from(clientModule()) }]])
}

/** Turns the client, which the package has as CommonJS, into an ES module. */
function clientModule(): string {
  const code = readFileSync(new URL('client/index.js', import.meta.url), 'utf8')
  return `const module = {};\n${code}export const { ClientError, createClient } = module.exports\n`
}
