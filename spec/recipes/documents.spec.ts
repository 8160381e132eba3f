import { expect } from 'chai'
import { describe, it } from 'mocha'
import { codeBlocks, readText } from '../package/readme.js'

describe('docs/protocols.md', () => {
  it('shows the recipe as it is', () => {
    const shown = codeBlocks(readText('docs/protocols.md')).find(({ code }) =>
      code.includes('userStateFlow:'),
    )
    expect(readText('docs/recipes/user-state-flow.ts')).to.include(shown?.code)
  })
})
