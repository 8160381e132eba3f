import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mountProtocolLogins, protocolLogins } from '../support/protocol-logins.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

describe('logging in again with the token of the session before', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed(mountProtocolLogins)
  })
  afterEach(() => bed.closeClean())

  for (const [protocol, logIn] of protocolLogins) {
    it(`ends that session, in one step with the new one: ${protocol}`, async () => {
      const first = await logIn(bed, await bed.code())
      const other = await logIn(bed, await bed.code())
      const calls: string[] = []
      bed.store.before = (method) => void calls.push(method)
      const second = await logIn(bed, await bed.code(), first)
      bed.store.before = () => undefined
      expect(calls).to.not.include('revoke')
      const ids = (await bed.sessions.list(bed.phone)).map(({ sessionId }) => sessionId)
      const idOfToken = async (token: string) => (await bed.sessions.authenticate(token)).sessionId
      expect(ids).to.deep.equal([await idOfToken(other), await idOfToken(second)])
    })

    it(`goes well with a token that is none: ${protocol}`, async () => {
      expect(await logIn(bed, await bed.code(), 'x'.repeat(70))).to.match(/^[\w-]{64}$/)
    })
  }
})
