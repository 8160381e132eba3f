import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { type PackedPackage, packedPackage } from './packed-package.js'
import { readSources } from './source-tree.js'

describe('the packed package', () => {
  let packed: PackedPackage
  before(async function () {
    this.timeout(60_000)
    packed = await packedPackage()
  })

  const withFolders = (folder: string) => packed.files.filter((path) => path.startsWith(`${folder}/`)).sort()

  for (const folder of ['lib', 'sandbox', 'client']) {
    it(`holds the sources of ${folder}`, () => {
      const sources = readSources(folder).map(({ path }) => path)
      const packedSources = withFolders(folder).filter((path) => !/\.json$|\.d\.cts$/.test(path))
      expect(packedSources).to.deep.equal(sources.sort())
    })
  }

  it('lets old tools, which know no exports, find the client and the sandbox in dist, too', () => {
    expect(packed.files).to.include.members(['client/package.json', 'sandbox/package.json'])
  })

  it('holds code, declarations and their maps for each source, and the same code as ES modules', () => {
    const outputs = [...readSources('lib'), ...readSources('sandbox')].flatMap(({ path }) => {
      const own = path.replace(/^lib\//, '')
      if (own.endsWith('.cjs')) return [`dist/${own}`, `dist/module/${own}`]
      const name = own.replace(/\.ts$/, '')
      const codeEndings = ['.js', '.js.map']
      return [
        ...[...codeEndings, '.d.ts', '.d.ts.map'].map((ending) => `dist/${name}${ending}`),
        ...codeEndings.map((ending) => `dist/module/${name}${ending}`),
      ]
    })
    const own = withFolders('dist').filter((path) => !path.startsWith('dist/client/'))
    const kinds = ['dist/package.json', 'dist/module/package.json']
    expect(own).to.deep.equal([...outputs, ...kinds].sort())
  })

  it('holds code and declarations of the client, and what makes them CommonJS', () => {
    const declarations = readSources('client').map(({ path }) => `dist/${path.replace(/\.ts$/, '.d.ts')}`)
    const code = ['client.js', 'index.js', 'package.json'].map((name) => `dist/client/${name}`)
    expect(withFolders('dist/client')).to.deep.equal([...declarations, ...code].sort())
  })

  it('holds the documents, and nothing else', () => {
    expect(withFolders('docs')).to.deep.equal([
      'docs/error-codes.md',
      'docs/error-codes.zh-CN.md',
      'docs/migration.md',
      'docs/migration.zh-CN.md',
      'docs/mini-program.md',
      'docs/mini-program.zh-CN.md',
      'docs/protocols.md',
      'docs/protocols.zh-CN.md',
      'docs/recipes/token-flow.ts',
      'docs/recipes/user-state-flow.ts',
      'docs/storage.md',
      'docs/storage.zh-CN.md',
      'docs/user-data.md',
      'docs/user-data.zh-CN.md',
    ])
    expect(packed.files.filter((path) => !path.includes('/')).sort()).to.deep.equal([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'README.zh-CN.md',
      'SECURITY.md',
      'SECURITY.zh-CN.md',
      'package.json',
    ])
    expect(
      packed.files.filter((path) => !/^(?:dist|lib|client|sandbox|docs)\/|^[^/]+$/.test(path)),
    ).to.deep.equal([])
  })
})
