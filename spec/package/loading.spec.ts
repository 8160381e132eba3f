import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { createConsumer } from './consumer.js'
import { packedPackage, run } from './packed-package.js'

/** Prints what a step loads in a process that has Express already. */
const begin = `require('express')
let seen = new Set(Object.keys(require.cache))
const name = (path) => path.split('/node_modules/').at(-1)
globalThis.loadedSince = () => {
  const all = Object.keys(require.cache)
  console.log(JSON.stringify(all.filter((path) => !seen.has(path)).map(name)))
  seen = new Set(all)
}
`
const sessions = `const sessions = createSessions({ apps: [{ appid: 'wx1', secret: 's'.repeat(32) }], store: new MemoryStore() })
`
const [ES256, EdDSA] = (
  [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ed25519')] as const
).map(({ privateKey }) => JSON.stringify(privateKey.export({ format: 'jwk' }))) as [string, string]
const issuer = (key: string) =>
  `serviceTokens({ sessions, issuer: 'us', audiences: ['orders'], keys: [${key}] })\n`
const verifier = (algorithm: string) =>
  `requireServiceToken({ issuer: 'us', audience: 'orders', jwksUri: 'https://us.example/jwks', algorithms: ['${algorithm}'] })\n`

describe('what the package loads', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  /** The modules that each of these steps loads first, after Express. */
  async function loadedBy(steps: readonly string[]): Promise<string[][]> {
    const program = [begin, ...steps.map((step) => `${step}loadedSince()\n`)].join('')
    const folder = await createConsumer({
      files: { 'package.json': {}, 'program.cjs': program },
      installed: { express: 'express', ioredis: 'ioredis' },
    })
    const { stdout, stderr } = await run(process.execPath, ['program.cjs'], { cwd: folder })
    expect(stderr).to.equal('')
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  /** The names of the packages that modules belong to. */
  const packagesOf = (modules: string[] = []) => new Set(modules.map((path) => path.split('/')[0]))

  const imported = `const { createSessions, loginRouter, MemoryStore, requireServiceToken, requireSession, serviceTokens } = require('weapp-session')\n`

  it('is its own code alone when it is imported after Express', async () => {
    const [modules = []] = await loadedBy([imported])
    expect(modules.sort()).to.deep.equal(
      [
        'cockatiel.cjs',
        'express-rate-limit.cjs',
        'index.js',
        'ioredis.cjs',
        'jsonwebtoken.cjs',
        'lru-cache.cjs',
        'weapp-session.js',
      ].map((file) => `weapp-session/dist/${file}`),
    )
  })

  it('is cockatiel alone for sessions, and nothing for a guard and a login router without limits', async () => {
    const [, forSessions, ...more] = await loadedBy([
      imported,
      sessions,
      'requireSession({ sessions })\n',
      'loginRouter({ sessions, limit: false })\n',
    ])
    expect([...packagesOf(forSessions)]).to.deep.equal(['cockatiel'])
    expect(more).to.deep.equal([[], []])
  })

  it('is express-rate-limit with the first login router that has limits, and nothing with the next one', async () => {
    const [, , forRouter, later] = await loadedBy([
      imported,
      sessions,
      'loginRouter({ sessions })\n',
      'loginRouter({ sessions })\n',
    ])
    expect(packagesOf(forRouter)).to.include('express-rate-limit').and.not.include('jsonwebtoken')
    expect(later).to.deep.equal([])
  })

  it('is jsonwebtoken with the first issuer or verifier of service tokens that needs it', async () => {
    for (const first of [issuer(ES256), verifier('ES256')]) {
      const [, , modules, later] = await loadedBy([
        imported,
        sessions,
        first,
        issuer(ES256) + verifier('RS256'),
      ])
      expect(packagesOf(modules)).to.include('jsonwebtoken').and.not.include('express-rate-limit')
      expect(later).to.deep.equal([])
    }
  })

  it('is no library for service tokens of EdDSA', async () => {
    const [, , modules] = await loadedBy([imported, sessions, issuer(EdDSA) + verifier('EdDSA')])
    expect(modules).to.deep.equal([])
  })
})
