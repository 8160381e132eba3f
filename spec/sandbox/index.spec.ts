import { expect } from 'chai'
import { describe, it } from 'mocha'
import * as entry from 'weapp-session/sandbox'

describe('weapp-session/sandbox', () => {
  it('exports createSandbox and, beside types, nothing else', () => {
    expect(Object.keys(entry)).to.deep.equal(['createSandbox'])
  })
})
