import { expect } from 'chai'
import { describe, it } from 'mocha'
import { en } from '../../example-app/page/words.js'
import { zh } from '../../example-app/page/words-zh.js'
import { CLAIM_WORDS, STORE_WORDS } from '../../example-app/showcase/traced-store.js'

describe('the words of the page', () => {
  it('have a Chinese text for whatever the server tells of the store', () => {
    const outcomes = ['found', 'nothing there', 'yes', 'no', 'no answer']
    for (const text of [...Object.values(STORE_WORDS), ...Object.values(CLAIM_WORDS), ...outcomes]) {
      expect(zh.steps[text], text).to.match(/[一-鿿]/)
    }
  })

  it('explain the same errors in both languages', () => {
    expect(Object.keys(zh.errors)).to.deep.equal(Object.keys(en.errors))
  })
})
