import { expect } from 'chai'
import { describe, it } from 'mocha'
import { RateLimiter } from '../../lib/http/rate-limiter.js'

const WINDOW_MS = 90_000

describe('a RateLimiter', () => {
  /** The headers of a hit that is over the limit, so long before its window ends. */
  async function headersWith(leftMs: number) {
    const count = async () => ({ number: 2, leftMs })
    const limiter = new RateLimiter({ name: 'logins', limit: 1, windowMs: WINDOW_MS, count })
    const { isOver, headers } = await limiter.hit('key')
    expect(isOver).to.equal(true)
    return headers
  }

  it('tells in whole seconds when its window ends, and never that it has', async () => {
    for (const [leftMs, seconds] of [
      [WINDOW_MS, '90'],
      [89_001, '90'],
      [1_000, '1'],
      [1, '1'],
      [0.001, '1'],
    ] as const) {
      const headers = await headersWith(leftMs)
      expect(headers.get('Retry-After')).to.equal(seconds)
      expect(headers.get('RateLimit')).to.equal(`"logins"; r=0; t=${seconds}`)
    }
  })
})
