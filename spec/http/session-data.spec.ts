import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { requireSession } from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('req.weapp.data', () => {
  let bed: TestBed
  let token: string

  beforeEach(async () => {
    bed = await openTestBed({ onLogin: () => ({ role: 'reader', list: [1] }) })
    token = await bed.logIn()
  })
  afterEach(() => bed.close())

  /** What a route answers that does this with its request. */
  async function ask(work: (weapp: Express.Request['weapp']) => unknown): Promise<unknown> {
    const app = express()
    app.get('/', requireSession({ sessions: bed.sessions }), (req, res) => {
      Promise.resolve()
        .then(() => work(req.weapp))
        .then((answer) => res.json({ answer }))
        .catch((error: Error) => res.json({ error: Object(error).code ?? error.name }))
    })
    const { body } = await supertest(app).get('/').set('x-3rd-session', token).expect(200)
    return body.answer ?? body.error
  }

  const role = () => ask(({ data }) => Object(data).role)

  it('throws where a route writes to it, as the next request would not find that', async () => {
    for (const write of [
      (weapp: object) => Object.assign(weapp, { data: { role: 'editor' } }),
      ({ data }: { data: unknown }) => Object.assign(Object(data), { role: 'editor' }),
      ({ data }: { data: unknown }) => Object(data).list.push(2),
    ]) {
      expect(await ask(write)).to.equal('TypeError')
    }
    expect(await role()).to.equal('reader')
  })

  it('is changed by setData, for this request and all that follow', async () => {
    expect(
      await ask(async (weapp) => [await weapp.setData({ role: 'editor' }), weapp.data, { ...weapp }.data]),
    ).to.deep.equal([{ role: 'editor' }, { role: 'editor' }, { role: 'editor' }])
    expect(await role()).to.equal('editor')
  })

  it('is not changed once the session has ended', async () => {
    expect(
      await ask(async (weapp) => {
        await weapp.logout()
        return weapp.setData('new')
      }),
    ).to.equal('ERR_SESSION_UNKNOWN')
  })
})
