import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createPhoneFiles, createWxFiles, type PhoneFiles, type WxFiles } from '../../sandbox/wx-files.js'

const picture = Uint8Array.of(0xff, 0xd8, 0xff, 0x00, 0x0a)

const errMsgOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((failure: { errMsg: string }) => failure.errMsg)

describe('the files of a phone', () => {
  let server: Server
  let url: string
  let device: { offline: boolean }
  let files: PhoneFiles
  let wx: WxFiles
  let got: { type: string; note: string; body: Buffer }

  beforeEach(async () => {
    server = createServer(async (request, response) => {
      const { 'content-type': type = '', 'x-note': note = '' } = request.headers
      got = { type, note: String(note), body: await buffer(request) }
      response.writeHead(request.url === '/gone' ? 404 : 200).end(picture)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    device = { offline: false }
    const own = createPhoneFiles()
    files = own
    wx = createWxFiles(device, own)
  })
  afterEach(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  it('go up as a form, with the other fields and the headers, and the answer is text', async () => {
    const filePath = files.add(picture, 'me.jpg')
    const header = { 'Content-Type': 'text/plain', 'X-Note': 'n' }
    const answer = await wx.uploadFile({ url, filePath, name: 'avatar', formData: { a: 1 }, header })
    expect(answer).to.include({ statusCode: 200, errMsg: 'uploadFile:ok' })
    expect(answer.data).to.be.a('string')
    const form = await new Response(new Uint8Array(got.body), {
      headers: { 'content-type': got.type },
    }).formData()
    const file = form.get('avatar') as File
    expect([form.get('a'), file.name, got.note]).to.deep.equal(['1', 'me.jpg', 'n'])
    expect(new Uint8Array(await file.arrayBuffer())).to.deep.equal(picture)
  })

  it('come down to a temporary path, or to the one that is named', async () => {
    const { tempFilePath = '', statusCode } = await wx.downloadFile({ url })
    expect([statusCode, files.read(tempFilePath)]).to.deep.equal([200, picture])
    const named = await wx.downloadFile({ url, filePath: 'wxfile://usr/a' })
    expect(named).to.include({ filePath: 'wxfile://usr/a' }).and.not.to.have.property('tempFilePath')
    expect(files.read('wxfile://usr/a')).to.deep.equal(picture)
  })

  it('succeed with any HTTP status, as those of a real phone do', async () => {
    const filePath = files.add('text')
    expect(await wx.uploadFile({ url: `${url}/gone`, filePath, name: 'f' })).to.include({ statusCode: 404 })
    expect(await wx.downloadFile({ url: `${url}/gone` })).to.include({ statusCode: 404 })
  })

  it('fail without a network, without a file and with a wrong address', async () => {
    const filePath = files.add('text')
    const at = (path: string) => errMsgOf(wx.uploadFile({ url, filePath: path, name: 'f' }))
    expect(await at('http://tmp/nothing')).to.equal('uploadFile:fail file not found: http://tmp/nothing')
    expect(await errMsgOf(wx.downloadFile({ url: '/a' }))).to.equal('downloadFile:fail invalid url "/a"')
    device.offline = true
    expect(await at(filePath)).to.equal('uploadFile:fail the phone is offline')
    expect(await errMsgOf(wx.downloadFile({ url }))).to.equal('downloadFile:fail the phone is offline')
  })

  it('take callbacks, and then answer a task that can be broken off', async () => {
    const failed = new Promise<{ errMsg: string }>((fail) => wx.downloadFile({ url, fail }).abort())
    expect((await failed).errMsg).to.equal('downloadFile:fail abort')
  })
})
