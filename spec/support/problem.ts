import { expect } from 'chai'
import type { Response } from 'supertest'
import type { ErrorCode, Problem } from '../../lib/index.js'

/** Checks that an answer is a problem of this status and code, complete with the headers that belong to it. Answers it. */
export function expectProblem(res: Response, status: number, code: ErrorCode): Problem {
  expect(res.status, res.text).to.equal(status)
  expect(res.headers['content-type']).to.equal('application/problem+json')
  expect(res.headers['cache-control']).to.equal('no-store')
  const problem = JSON.parse(res.text)
  expect(problem).to.have.all.keys('type', 'title', 'status', 'detail', 'code')
  expect(problem.code).to.equal(code)
  expect(problem.status).to.equal(status)
  expect(problem.type).to.equal(`urn:weapp-session:${code}`)
  expect(res.headers['www-authenticate']).to.equal(status === 401 ? 'Bearer' : undefined)
  if (status === 429 || status === 503) expect(Number(res.headers['retry-after'])).to.be.greaterThan(0)
  return problem
}
