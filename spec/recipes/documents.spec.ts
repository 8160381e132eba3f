import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { codeBlocks, headingLevels, linkedFiles, readText } from '../package/readme.js'
import { root } from '../package/source-tree.js'

/** The anchor that a heading gets on GitHub. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}

for (const name of ['protocols', 'migration']) {
  describe(`docs/${name}.md in both languages`, () => {
    const [english, chinese] = [`docs/${name}.md`, `docs/${name}.zh-CN.md`].map(readText) as [string, string]

    it('has the same headings in the same order', () => {
      expect(headingLevels(chinese)).to.deep.equal(headingLevels(english))
    })

    it('has the same code', () => {
      expect(codeBlocks(chinese)).to.deep.equal(codeBlocks(english))
    })

    it('links only to files and headings that exist', () => {
      for (const text of [english, chinese]) {
        const missing = linkedFiles(text).filter((file) => !existsSync(join(root, 'docs', file)))
        expect(missing).to.deep.equal([])
        const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
        const targets = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target)
        expect(anchors).to.include.members(targets)
      }
    })
  })
}

describe('docs/protocols.md', () => {
  it('shows the recipe as it is', () => {
    const shown = codeBlocks(readText('docs/protocols.md')).find(({ code }) =>
      code.includes('userStateFlow:'),
    )
    expect(readText('docs/recipes/user-state-flow.ts')).to.include(shown?.code)
  })
})
