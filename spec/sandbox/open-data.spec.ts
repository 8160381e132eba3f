import { expect } from 'chai'
import { describe, it } from 'mocha'
import { encryptOpenData, signRawData } from '../../lib/sandbox/open-data.js'
import decryptVector from '../vectors/decrypt-vector.json' with { type: 'json' }
import signatureVector from '../vectors/signature-vector.json' with { type: 'json' }

describe('the crypto of the sandbox', () => {
  it('encrypts the published sample to the published bytes', () => {
    const { plaintext, sessionKey, iv, encryptedData } = decryptVector
    expect(encryptOpenData(plaintext, sessionKey, iv)).to.equal(encryptedData)
  })

  it('signs the published sample with the published signature', () => {
    const { rawData, sessionKey, signature } = signatureVector
    expect(signRawData(rawData, sessionKey)).to.equal(signature)
  })
})
