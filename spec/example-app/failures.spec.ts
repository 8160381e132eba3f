import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { type ExampleBed, openExampleBed } from '../support/example-bed.js'
import { killExamples, startExample, stopExample } from './example-process.js'

describe('the example app, when something is wrong', () => {
  let bed: ExampleBed
  let token: string

  beforeEach(async () => {
    bed = await openExampleBed({})
    const { code } = await bed.phone.wx.login()
    const { body } = await supertest(bed.url).post('/login').send({ code }).expect(200)
    token = body.token
  })
  afterEach(() => bed.closeClean(bed.phone.openid, '    at ', 'file:', 'node_modules', '.ts:'))

  const postSteps = (body: string, headers: Record<string, string> = {}) =>
    supertest(bed.url)
      .post('/steps')
      .set({ 'x-3rd-session': token, 'content-type': 'application/json', ...headers })
      .send(body)

  it('says in JSON what is wrong with a request, without a stack', async () => {
    await postSteps('{').expect(400, { error: 'Bad Request' })
    await postSteps('x', { 'content-encoding': 'gzip' }).expect(400, { error: 'Bad Request' })
    await postSteps('x', { 'content-encoding': 'none' }).expect(415, { error: 'Unsupported Media Type' })
    await postSteps(`"${'x'.repeat(200_000)}"`).expect(413, { error: 'Payload Too Large' })
    await supertest(bed.url).get('/avatars/%E0%A4%A').expect(400, { error: 'Bad Request' })
    const { body } = await supertest(bed.url).delete('/sessions/%E0%A4%A').expect(400)
    expect(body).to.include({ code: 'ERR_REQUEST_INVALID' }).and.to.not.have.property('stack')
  })

  it('says in JSON that a route is not there', async () => {
    for (const path of ['/nothing', '/%E0%A4%A', '/mina/nothing', '/..%2f..%2fetc%2fpasswd']) {
      await supertest(bed.url).get(path).expect(404, { error: 'There is nothing here.' })
    }
    await supertest(bed.url).post('/nothing').send('{').expect(404)
  })

  it('refuses steps that are none in the words of the package', async () => {
    for (const body of ['', '[]', '{}', '{"encryptedData":1}']) {
      const { body: problem } = await postSteps(body).expect(400)
      expect(problem.code).to.match(/^ERR_/)
    }
  })
})

describe('the example app, when it fails itself', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weapp-session-example-'))
  })
  afterEach(() => {
    killExamples()
    rmSync(folder, { recursive: true, force: true })
  })

  it('tells the client that it did, and the operator where: for a bug, and for nothing else', async () => {
    const file = join(folder, 'users.sqlite')
    const app = await startExample({ DATABASE: file })
    const { body } = await supertest(app.wechatUrl).post('/sandbox/login').expect(200)
    const login = await supertest(app.url).post('/login').send({ code: body.code }).expect(200)
    const me = () => supertest(app.url).get('/me').set('x-3rd-session', login.body.token)
    await supertest(app.url).get('/avatars/%E0%A4%A').expect(400)
    mkdirSync(`${file}.lock`)
    await me().expect(500, { error: 'Internal Server Error' })
    rmdirSync(`${file}.lock`)
    await me().expect(200)
    await stopExample(app)
    expect(app.output()).to.match(/database is locked\n +at /)
    expect(app.output()).not.to.contain('URIError')
  })
})
