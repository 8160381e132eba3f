import { createPrivateKey, createPublicKey } from 'node:crypto'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { isSignedWithEddsa, signEddsa } from '../../lib/service-tokens/eddsa.js'
import { isSignedBy } from '../../lib/service-tokens/signature.js'
import { thumbprint } from '../../lib/service-tokens/thumbprint.js'

/** RFC 7515, appendix A.3. */
const ES256_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const ES256_TOKEN =
  'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'

/** RFC 8037, appendices A.1, A.3 and A.4. */
const ED25519_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}
const ED25519_TOKEN =
  'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'

/** RFC 7638, section 3.1. */
const RSA_KEY = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
}

/** Changes the first character, as the last bits of the last one may mean nothing. */
function damaged(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

describe('the signatures of service tokens', () => {
  it('are those of RFC 7515 for ES256', () => {
    const key = createPublicKey({ key: ES256_KEY, format: 'jwk' })
    expect(isSignedBy(ES256_TOKEN, { alg: 'ES256', key })).to.equal(true)
    expect(isSignedBy(damaged(ES256_TOKEN), { alg: 'ES256', key })).to.equal(false)
  })

  it('are those of RFC 8037 for EdDSA', () => {
    const privateKey = createPrivateKey({ key: ED25519_KEY, format: 'jwk' })
    const key = createPublicKey(privateKey)
    expect(isSignedWithEddsa(ED25519_TOKEN, key)).to.equal(true)
    expect(isSignedWithEddsa(damaged(ED25519_TOKEN), key)).to.equal(false)
    const input = ED25519_TOKEN.slice(0, ED25519_TOKEN.lastIndexOf('.'))
    expect(signEddsa(input, privateKey)).to.equal(ED25519_TOKEN)
    expect(isSignedBy(ED25519_TOKEN, { alg: 'EdDSA', key })).to.equal(true)
    expect(isSignedBy(damaged(ED25519_TOKEN), { alg: 'EdDSA', key })).to.equal(false)
  })

  it('name keys by the thumbprint of RFC 7638 and RFC 8037', () => {
    expect(thumbprint(createPublicKey({ key: RSA_KEY, format: 'jwk' }))).to.equal(
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    )
    expect(thumbprint(createPrivateKey({ key: ED25519_KEY, format: 'jwk' }))).to.equal(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    )
  })
})
