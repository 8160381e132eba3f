import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { type ExampleBed, openExampleBed } from '../support/example-bed.js'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

describe('avatars of the example app', () => {
  let bed: ExampleBed
  let token: string

  beforeEach(async () => {
    bed = await openExampleBed({})
    const { code } = await bed.phone.wx.login()
    const { body } = await supertest(bed.url).post('/login').send({ code }).expect(200)
    token = body.token
  })
  afterEach(() => bed.closeClean(bed.phone.openid))

  const upload = (content: Buffer, field = 'avatar') =>
    supertest(bed.url).post('/avatar').set('x-3rd-session', token).attach(field, content, 'me.html')

  it('are kept and shown to everybody, on pages of any origin, with the type of their bytes', async () => {
    for (const [type, picture] of [
      ['image/png', PNG],
      ['image/jpeg', Buffer.from('ffd8ffe000104a46', 'hex')],
      ['image/webp', Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1')],
    ] as const) {
      const { body } = await upload(picture).expect(200)
      const shown = await supertest(bed.url).get(body.avatarUrl).expect(200).expect('content-type', type)
      expect(shown.body).to.deep.equal(picture)
      expect(shown.headers).to.include({
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      })
    }
  })

  it('are pictures: anything else is a 400 that says what to send', async () => {
    await upload(Buffer.from('<script>alert(1)</script>')).expect(400, /PNG, JPEG or WebP/)
    await upload(Buffer.alloc(0)).expect(400)
    await upload(PNG, 'other').expect(400)
    const raw = (type: string, body: string) =>
      supertest(bed.url).post('/avatar').set('x-3rd-session', token).set('content-type', type).send(body)
    await raw('application/json', '{}').expect(400)
    await raw('multipart/form-data', 'x').expect(400, /Boundary not found/)
    const cut = '--b\r\ncontent-disposition: form-data; name="avatar"; filename="a"\r\n\r\nPNG'
    await raw('multipart/form-data; boundary=b', cut).expect(400, /Unexpected end of form/)
  })

  it('have two megabytes at most', async () => {
    await upload(Buffer.concat([PNG, Buffer.alloc(2 * 1024 * 1024)])).expect(413)
  })

  it('are kept, the latest three of a user: nobody can fill the table, or drive out what others have', async () => {
    const numbered = (n: number) => Buffer.concat([PNG, Buffer.from([n])])
    const send = async (n: number) => (await upload(numbered(n)).expect(200)).body.avatarUrl as string
    const statuses = (urls: string[]) =>
      Promise.all(urls.map(async (url) => (await supertest(bed.url).get(url)).status))

    const { code } = await bed.sandbox.phone().wx.login()
    const other = (await supertest(bed.url).post('/login').send({ code }).expect(200)).body.token
    const same = supertest(bed.url).post('/avatar').set('x-3rd-session', other)
    await same.attach('avatar', numbered(1), 'me.png').expect(200)

    const urls = []
    for (const n of [0, 1, 2, 3, 2, 4]) urls.push(await send(n))
    const [first = '', ofBoth = '', ...latest] = urls
    expect(await statuses([first])).to.deep.equal([404])
    expect(await statuses([ofBoth, ...latest])).to.deep.equal([200, 200, 200, 200, 200])
  })

  it('need a session', async () => {
    const res = await supertest(bed.url).post('/avatar').attach('avatar', PNG, 'me.png')
    expect([res.status, res.body.code]).to.deep.equal([401, 'ERR_TOKEN_MISSING'])
  })

  it('are nowhere where there is none', async () => {
    await supertest(bed.url).get('/avatars/nothing').expect(404)
  })
})
