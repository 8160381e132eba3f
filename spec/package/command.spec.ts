import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { afterEach, before, describe, it } from 'mocha'
import { packedPackage, run, saidWhy, temporaryFolder } from './packed-package.js'
import { root } from './source-tree.js'

const ADDRESS = /^weapp-session sandbox: (http:\/\/\S+), on a fake WeChat: (http:\/\/\S+)$/m

/** Installs the tarball in an empty folder with what it depends on; Express, a peer, is ours. */
async function install(): Promise<string> {
  const folder = temporaryFolder()
  const { tarball } = await packedPackage()
  const args = [
    'install',
    '--prefer-offline',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--silent',
    tarball,
  ]
  await run('npm', args, { cwd: folder }).catch(saidWhy)
  expect(readdirSync(join(folder, 'node_modules')))
    .to.include('weapp-session')
    .and.not.include.oneOf(['express', 'ioredis'])
  symlinkSync(join(root, 'node_modules/express'), join(folder, 'node_modules/express'), 'dir')
  return folder
}

describe('npx weapp-session, from the packed package', () => {
  let folder: string
  const running = new Set<ChildProcess>()

  before(async function () {
    this.timeout(60_000)
    folder = await install()
  })
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL')
    running.clear()
  })

  function start(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(join(folder, 'node_modules/.bin/weapp-session'), words, {
      cwd: folder,
      env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    return child
  }

  async function outcomeOf(words: readonly string[], env?: Readonly<Record<string, string>>) {
    const child = start(words, env)
    const [[code], out, err] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ])
    return { code, out, err }
  }

  async function startSandbox(env: Readonly<Record<string, string>> = {}) {
    const child = start(['sandbox'], { PORT: '0', ...env })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    const ended = once(child, 'close').then(() => expect.fail(`it ended: ${out}${err}`))
    ended.catch(() => undefined)
    while (!out.includes('curl -i')) await Promise.race([once(child.stdout, 'data'), ended])
    const [, url = '', wechatUrl = ''] = ADDRESS.exec(out) ?? []
    return { child, url, wechatUrl, out, errors: () => err }
  }

  it('sandbox needs Express alone, and shows the page', async () => {
    const { url, errors } = await startSandbox()
    const answer = await fetch(url)
    expect(answer.headers.get('content-type')).to.match(/^text\/html/)
    expect(answer.headers.get('content-security-policy')).to.match(/^default-src 'none';script-src 'self';/)
    expect(answer.headers.get('x-content-type-options')).to.equal('nosniff')
    expect(answer.headers.has('x-powered-by')).to.equal(false)
    const html = await answer.text()
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
    expect(loaded).to.include.members(['/page.js', '/page.css', '/icon.svg'])
    for (const path of loaded) {
      const file = await fetch(url + path)
      expect([path, file.status]).to.deep.equal([path, 200])
      expect(file.headers.get('content-type')).to.match(/javascript|css|svg/)
      expect(await file.text()).to.have.lengthOf.above(100)
    }
    expect(errors()).to.equal('')
  })

  it('sandbox serves the client that the script of its page imports', async () => {
    const { url } = await startSandbox()
    const [script, client] = await Promise.all(
      ['page.js', 'client.js'].map(async (name) => (await fetch(`${url}/${name}`)).text()),
    )
    const [, names = ''] = /import\{([^}]*)\}from"\.\/client\.js"/.exec(script ?? '') ?? []
    const imported = names.split(',').map((name) => name.replace(/ as .*/, ''))
    expect(imported).to.include('createClient')
    const file = join(temporaryFolder(), 'client.mjs')
    writeFileSync(file, client ?? '')
    expect(await import(pathToFileURL(file).href)).to.include.keys(imported)
  })

  it('sandbox has a page without the view of sources, which the package does not have', async () => {
    const { url } = await startSandbox()
    const script = await (await fetch(`${url}/page.js`)).text()
    expect(script).to.contain('/showcase/state').and.not.to.contain('/showcase/sources')
  })

  it('sandbox logs a phone of the page in, and shows each step', async () => {
    const { url } = await startSandbox()
    const ask = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/showcase/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      expect(answer.status).to.equal(200)
      return (await answer.json()) as never
    }
    const { result } = (await ask('wechat', { api: 'login', user: 'ann' })) as { result: { code: string } }
    const login: { answer: { data: { token: string } }; trace: { to: string }[] } = await ask('request', {
      method: 'POST',
      path: '/login',
      data: { code: result.code, userInfo: { nickName: 'Ann' } },
    })
    expect(login.trace.map(({ to }) => to)).to.include.members(['app', 'store', 'wechat', 'phone'])
    const me: { answer: { data: object } } = await ask('request', {
      method: 'GET',
      path: '/me',
      header: { 'x-3rd-session': login.answer.data.token },
    })
    expect(me.answer.data).to.deep.include({
      user: { id: 1, nick_name: 'Ann', avatar_url: null, logins: 1 },
    })
  })

  it('sandbox prints three lines for another terminal, which log in', async () => {
    const { out } = await startSandbox()
    const lines = out.split('\n').filter((line) => /^ {2}(?:CODE=|TOKEN=|curl )/.test(line))
    expect(lines).to.have.lengthOf(3)
    const { stdout } = await run('sh', ['-c', lines.join('\n')])
    expect(stdout)
      .to.match(/^HTTP\/1\.1 200 OK/)
      .and.to.contain('"logins":1')
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`sandbox ends on ${signal} by itself`, async () => {
      const { child, url, wechatUrl } = await startSandbox()
      await fetch(url)
      const exit = once(child, 'exit')
      child.kill(signal)
      expect(await exit).to.deep.equal([0, null])
      for (const address of [url, wechatUrl])
        expect(await fetch(address).catch(() => 'gone')).to.equal('gone')
    })
  }

  it('sandbox says which variable is wrong, and which port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      for (const [env, message] of [
        [{ PORT: 'x' }, 'PORT must be a whole number from 0 to 65535\n'],
        [{ PORT: '0', HOST: '203.0.113.1' }, 'HOST 203.0.113.1: EADDRNOTAVAIL\n'],
        [{ PORT: String(port) }, `Port ${port} is in use; choose another one with PORT\n`],
      ] as const) {
        expect(await outcomeOf(['sandbox'], env)).to.deep.equal({ code: 1, out: '', err: message })
      }
    } finally {
      server.close()
    }
  })

  for (const words of [[], ['--help'], ['-h'], ['sandbox', '--help']]) {
    it(`${['weapp-session', ...words].join(' ')} tells how it is used`, async () => {
      const { code, out, err } = await outcomeOf(words)
      expect([code, err]).to.deep.equal([0, ''])
      expect(out)
        .to.match(/^Usage: npx weapp-session sandbox\n/)
        .and.to.match(/PORT=3000.+\n.+HOST=127\.0\.0\.1/)
    })
  }

  for (const [words, unknown] of [
    [['sandbx'], 'sandbx'],
    [['sandbox', '--port'], '--port'],
    [['sandbox', 'sandbox'], 'sandbox'],
    [['--help', 'me'], 'me'],
  ] as const) {
    it(`refuses ${words.join(' ')}`, async () => {
      const err = `weapp-session: unknown argument "${unknown}"; known: sandbox, --help\n`
      expect(await outcomeOf(words)).to.deep.equal({ code: 2, out: '', err })
    })
  }

  it('comes with a peer dependency on Express that npm installs by itself', async () => {
    expect(existsSync(join(folder, 'node_modules/ioredis'))).to.equal(false)
    const { stdout } = await run('npm', ['pkg', 'get', 'peerDependenciesMeta', '--json'], {
      cwd: join(folder, 'node_modules/weapp-session'),
    })
    expect(Object.keys(JSON.parse(stdout))).to.deep.equal(['@types/express', 'ioredis'])
  })
})
