import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { kindOf, WeappError } from '../../lib/errors.js'
import { ERROR_CODES } from '../../lib/index.js'
import { problemReply } from '../../lib/protocols/problem.js'
import { failureOf } from '../support/failures.js'
import { answering, type ClientBed, openClientBed } from './client-bed.js'

describe('a 401 with a code of the server', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  for (const code of ERROR_CODES.filter((each) => kindOf(each).status === 401)) {
    const { asksLogin } = kindOf(code)

    it(`${asksLogin ? 'makes' : 'does not make'} the client log in again: ${code}`, async () => {
      const client = bed.start()
      await client.login()
      const token = bed.stored()
      const { status, headers, body } = problemReply(new WeappError(code, 'A message.'))
      bed.line = answering('/me', (_req, res) => void res.status(status).set(headers).json(body))
      const call = () => client.request({ url: '/me' })
      if (asksLogin) expect(await call()).to.include({ statusCode: 200 })
      else expect(await failureOf(call)).to.include({ code })
      expect(bed.logins()).to.equal(asksLogin ? 2 : 1)
      expect(bed.stored() === token).to.equal(!asksLogin)
    })
  }
})
