import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { signed, type TokenKey } from '../lib/service-tokens/signature.js'
import { readTokenKeys } from '../lib/service-tokens/token-keys.js'
import { createVerifyToken } from '../lib/service-tokens/verify-token.js'
import { replyToParent } from './replies.js'
import { median } from './statistics.js'

const TOKENS = 200
const issuer = 'https://app.example.com'
const audience = 'orders'

/** Microseconds of CPU a token. */
export interface VerificationCpu {
  readonly ours: number
  readonly bare: number
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const publicKey = createPublicKey(pem)
const [signingKey] = readTokenKeys('bench', [pem]) as [TokenKey]
const verifyingKey: TokenKey = { ...signingKey, key: publicKey }

replyToParent({
  async compare(rounds: number): Promise<VerificationCpu> {
    const tokens = Array.from({ length: TOKENS }, (_, place) => newToken(place))
    const verifyToken = createVerifyToken({
      findKey: (kid) => (kid === verifyingKey.kid ? verifyingKey : undefined),
      algorithms: ['ES256'],
      expected: { issuer, audience, clockToleranceSeconds: 5 },
      clock: Date.now,
    })
    const options = { algorithms: ['ES256' as const], issuer, audience, clockTolerance: 5 }
    const [ours, bare]: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round += 1) {
      const a = await cpuOf(tokens, async (token) => verifyToken(token))
      const b = await cpuOf(tokens, async (token) => jwt.verify(token, publicKey, options))
      // The first round is a warm-up.
      if (round > 0) {
        ours.push(a)
        bare.push(b)
      }
    }
    return { ours: median(ours), bare: median(bare) }
  },
})

function newToken(place: number): string {
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now, exp: now + 900 }
  return signed(
    { iss: issuer, aud: audience, sub: String(place).padStart(20, '0'), ...times, jti: `${place}` },
    signingKey,
  )
}

async function cpuOf(
  tokens: readonly string[],
  verify: (token: string) => Promise<unknown>,
): Promise<number> {
  const before = process.cpuUsage()
  for (const token of tokens) await verify(token)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / tokens.length
}
