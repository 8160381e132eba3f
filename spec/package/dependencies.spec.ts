import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { rowNames, section } from './readme.js'

interface Locked {
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const read = (path: string) => readFileSync(fileURLToPath(import.meta.resolve(`../../${path}`)), 'utf8')
const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as Record<
  string,
  Record<string, string>
>
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }

/** All that comes with the dependencies, by name, with its licence. */
function installed(): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>()
  const left = Object.keys(dependencies ?? {})
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (found.has(name)) continue
    const locked = packages[`node_modules/${name}`] ?? expect.fail(`${name} is not in the lock file`)
    found.set(name, locked.license)
    left.push(...Object.keys(locked.dependencies ?? {}))
  }
  return found
}

for (const [path, heading] of [
  ['docs/production.md', '## What is installed'],
  ['docs/production.zh-CN.md', '## 会装上什么'],
] as const) {
  describe(`the list of dependencies in ${path}`, () => {
    const text = section(read(path), heading)

    it('has a row for each package that is installed, and no other', () => {
      expect(rowNames(text).sort()).to.deep.equal([...installed().keys()].sort())
    })

    it('has the licence of each', () => {
      for (const [name, licence] of installed()) {
        expect(text, name).to.match(
          new RegExp(`^\\| \`${name.replace('.', '\\.')}\` \\| ${licence} \\| .+ \\|$`, 'm'),
        )
      }
    })

    it('names what the application brings itself', () => {
      for (const name of Object.keys(peerDependencies ?? {})) expect(text).to.include(`\`${name}\``)
    })
  })
}
