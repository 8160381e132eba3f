import { expect } from 'chai'
import { describe, it } from 'mocha'
import { encryptOpenData, signBody, signRawData } from '../../sandbox/open-data.js'
import decryptVector from '../vectors/decrypt-vector.json' with { type: 'json' }
import hmacVector from '../vectors/hmac-vector.json' with { type: 'json' }
import signatureVector from '../vectors/signature-vector.json' with { type: 'json' }
import { proofOf } from './opened.js'

describe('the crypto of the sandbox', () => {
  it('encrypts the published sample to the published bytes', () => {
    const { plaintext, sessionKey, iv, encryptedData } = decryptVector
    expect(encryptOpenData(plaintext, sessionKey, iv)).to.equal(encryptedData)
  })

  it('signs the published sample with the published signature', () => {
    const { rawData, sessionKey, signature } = signatureVector
    expect(signRawData(rawData, sessionKey)).to.equal(signature)
  })

  it('signs the published request body with the published signature', () => {
    const { body, sessionKey, signature } = hmacVector
    expect(signBody(body, sessionKey)).to.equal(signature)
  })

  it('signs an empty body as it is computed by hand', () => {
    const { sessionKey, emptyBodySignatureComputedHere } = hmacVector
    expect(signBody('', sessionKey)).to.equal(emptyBodySignatureComputedHere)
    expect(proofOf(sessionKey)).to.equal(emptyBodySignatureComputedHere)
  })
})
