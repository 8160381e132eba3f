import { readFileSync, statSync } from 'node:fs'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { type PackedPackage, packedPackage } from './packed-package.js'

const MOST_BYTES = 185_000

const page = ['index.html', 'page.css', 'page.js', 'icon.svg'].map((name) => `dist/page/${name}.br`)

describe('the packed package', () => {
  let packed: PackedPackage
  before(async function () {
    this.timeout(60_000)
    packed = await packedPackage()
  })

  it(`is smaller than ${MOST_BYTES / 1000} kB`, () => {
    expect(statSync(packed.tarball).size).to.be.within(60_000, MOST_BYTES)
  })

  it('holds one file of code and one of declarations for each entry', () => {
    expect(packed.files).to.include.members([
      'dist/weapp-session.js',
      ...['', 'sandbox/', 'store-contract/'].flatMap((folder) => [
        `dist/${folder}index.js`,
        `dist/${folder}index.d.ts`,
      ]),
      ...['client.js', 'index.d.ts', 'index.js', 'package.json'].map((name) => `dist/client/${name}`),
    ])
    expect(packed.files.filter((path) => path.endsWith('.d.ts'))).to.have.lengthOf(4)
  })

  it('lets old tools, which know no exports, find the other entries in dist, too', () => {
    expect(packed.files).to.include.members([
      'client/package.json',
      'sandbox/package.json',
      'store-contract/package.json',
    ])
  })

  it('holds the command and its page', () => {
    expect(packed.files).to.include.members(['dist/command.mjs', ...page])
  })

  it('holds nothing else: no sources, no maps and no documents but the README', () => {
    const known = [
      /^dist\/(?:(?:client|sandbox|store-contract)\/)?index\.(?:d\.ts|js)$/,
      /^dist\/(?:command\.mjs|weapp-session\.js|(?:cockatiel|express-rate-limit|ioredis|jsonwebtoken|lru-cache)\.cjs|package\.json)$/,
      /^dist\/client\/(?:client\.js|package\.json)$/,
      /^(?:client|sandbox|store-contract)\/package\.json$/,
      /^(?:LICENSE|README\.md|package\.json)$/,
    ]
    const others = packed.files.filter((path) => !known.some((pattern) => pattern.test(path)))
    expect(others.sort()).to.deep.equal([...page].sort())
  })

  it('has no reference to a map', () => {
    for (const path of packed.files.filter((name) => /\.(?:js|mjs|cjs|ts)$/.test(name))) {
      expect(readFileSync(`${packed.folder}/${path}`, 'utf8'), path).not.to.match(/sourceMappingURL/)
    }
  })

  it('has its exports in a small file, as Node looks for them in all of a file that is imported', () => {
    expect(statSync(`${packed.folder}/dist/index.js`).size).to.be.below(2000)
  })

  it('keeps the names of classes and functions, which stand in stack traces and logs', () => {
    const code = readFileSync(`${packed.folder}/dist/weapp-session.js`, 'utf8')
    expect(code).to.match(/\bWeappError=class extends Error\b|\bclass WeappError extends Error\b/)
    expect(code).to.match(/^function reasonOf\(/m)
  })

  it('has doc comments in its declarations, and nothing that is private', () => {
    const declarations = readFileSync(`${packed.folder}/dist/index.d.ts`, 'utf8')
    expect(declarations).to.match(/ \*\/\ndeclare function createSessions\(/)
    expect(declarations).not.to.match(/\bSessionRegistry\b|\bLoginCodes\b/)
  })
})
