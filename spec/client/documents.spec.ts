import { expect } from 'chai'
import { buildSync, transformSync } from 'esbuild'
import express, { type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Client, type ClientOptions, createClient } from '../../client/index.js'
import * as lib from '../../lib/index.js'
import { blockWith, codeBlocks, readText } from '../package/readme.js'
import { type ClientBed, clientErrorOf, holding, openClientBed } from './client-bed.js'

const README = 'README.md'
const GUIDE = 'docs/mini-program.md'
const MIGRATION = 'docs/migration.md'
const USER_DATA = ['docs/user-data.md', 'docs/user-data.zh-CN.md'] as const

/** Words of each sample for the phone, by document. The Chinese of the first three has the same code. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  [README]: ['Page({'],
  [GUIDE]: [
    'export const client',
    "url: '/avatar'",
    'getWeRunData',
    'purePhoneNumber',
    'ERR_ABORTED',
    'getToken',
  ],
  [MIGRATION]: ['getStorageSync'],
  [USER_DATA[0]]: ['getWeRunData', 'async onPhone'],
  [USER_DATA[1]]: ['getWeRunData', 'async onPhone'],
}

/** Programs of servers, and what older clients and servers had. */
const ON_SERVERS = /weapp-session\/sandbox|app\.(?:use|get)\(|qcloud\.config\(/

describe('what the documents say of the mini-program', () => {
  let bed: ClientBed
  let client: Client

  beforeEach(async () => {
    bed = await openClientBed({ allowPrivateAddresses: true })
    client = bed.start()
  })
  afterEach(() => bed.close())

  /** Runs a code block as the body of an async function. */
  async function runs(
    file: string,
    words: string,
    names: Record<string, unknown>,
    answer: string,
  ): Promise<unknown> {
    expect(SAMPLES[file]).to.include(words)
    const code = blockWith(readText(file), words)
      .replace(/^(?:\/\/.*\n)?import .*\n/, '')
      .replace('export ', '')
      .replaceAll('https://api.example.com', bed.url)
    const work = new Function(...Object.keys(names), `return (async () => {\n${code}\nreturn ${answer}\n})()`)
    return work(...Object.values(names))
  }

  /** The routes of a document, on the sessions of the bed. */
  function serverOf(file: string, words: string): RequestHandler {
    const app = express()
    const { code } = transformSync(blockWith(readText(file), words), { loader: 'ts' })
    const names: Record<string, unknown> = { ...lib, app, express, sessions: bed.sessions }
    new Function(...Object.keys(names), code)(...Object.values(names))
    return app
  }

  const makeClient = (options: ClientOptions) => createClient({ ...options, wx: bed.phone.wx })

  for (const [file, samples] of Object.entries(SAMPLES)) {
    it(`has no other samples for the phone than those that are run here, in ${file}`, () => {
      const text = readText(file)
      const onPhone = codeBlocks(text).filter(
        ({ language, code }) => language === 'js' && !ON_SERVERS.test(code),
      )
      expect(onPhone.map(({ code }) => code)).to.deep.equal(samples.map((words) => blockWith(text, words)))
    })
  }

  it('has the size that they say', () => {
    const { outputFiles } = buildSync({
      entryPoints: ['client/index.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2018',
      charset: 'utf8',
      write: false,
    })
    const bytes = outputFiles[0]?.contents.length ?? 0
    for (const file of [README, 'README-zh-CN.md', GUIDE, 'docs/mini-program.zh-CN.md']) {
      const [, kB] = /(?:Under|不到) ([\d.]+) kB/.exec(readText(file)) ?? []
      expect(bytes, file).to.be.below(Number(kB) * 1_000)
    }
  })

  it('loads a page as the README has it', async () => {
    const shown: Record<string, unknown> = {}
    let page = { onLoad: async (): Promise<void> => undefined }
    const Page = (made: typeof page) => {
      page = { ...made, setData: (fields: object) => Object.assign(shown, fields) } as typeof page
    }
    await runs(README, 'Page({', { createClient: makeClient, Page }, 'undefined')
    await page.onLoad()
    expect(shown.me).to.include({ openid: bed.phone.openid })
  })

  it('makes one client for the app', async () => {
    const made = (await runs(GUIDE, 'export const client', { createClient: makeClient }, 'client')) as Client
    expect(await made.request({ url: '/me' })).to.include({ statusCode: 200 })
  })

  it('sends a profile', async () => {
    const event = { detail: { avatarUrl: bed.phone.files.add('a picture') } }
    await runs(GUIDE, "url: '/avatar'", { client, event, nickName: '小明', baseUrl: bed.url }, 'avatarUrl')
    const { data } = await client.request<{ userInfo: object }>({ url: '/me' })
    expect(data.userInfo).to.include({ nickName: '小明' })
  })

  it('gets data again after the session_key was replaced', async () => {
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const steps = await runs(GUIDE, 'getWeRunData', { client, wx: bed.phone.wx }, 'stepInfoList')
    expect(steps).to.have.lengthOf(31)
    expect(bed.logins()).to.equal(2)
  })

  it('asks for a phone number, or for none', async () => {
    const ask = await runs(GUIDE, 'purePhoneNumber', { client }, 'onGetPhoneNumber')
    const onGetPhoneNumber = ask as (event: { detail: object }) => Promise<void>
    await onGetPhoneNumber({ detail: { errMsg: 'getPhoneNumber:fail user deny' } })
    expect(bed.asked).to.deep.equal([])
    await onGetPhoneNumber({ detail: await bed.phone.getPhoneNumber() })
    expect(bed.asked).to.deep.equal(['POST /login', 'POST /session/phone-number'])
  })

  it('takes the token over that an older client has stored', async () => {
    const { wx } = bed.phone
    const skey = await bed.logIn()
    wx.setStorageSync('weapp_session_F2C224D4-2BCE-4C64-AF9F-A6D872000D1A', { skey })
    await runs(MIGRATION, 'getStorageSync', { wx }, 'undefined')
    expect(await client.getToken()).to.equal(skey)
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(0)
  })

  it('breaks a call off', async () => {
    const { line, letGo } = holding('/orders')
    bed.line = line
    const task = (await runs(GUIDE, 'ERR_ABORTED', { client }, '{ task }')) as { task: Promise<unknown> }
    await clientErrorOf('ERR_ABORTED', () => task.task)
    letGo()
  })

  it('hands the token to a socket and a web-view', async () => {
    const asked: object[] = []
    const wx = { connectSocket: (option: object) => asked.push(option) }
    const src = await runs(GUIDE, 'getToken', { client, wx }, 'src')
    expect(src).to.equal(`https://h5.example.com/#token=${bed.stored()}`)
    const header = { 'x-3rd-session': bed.stored() }
    expect(asked).to.deep.equal([{ url: 'wss://api.example.com/orders', header }])
  })

  for (const file of USER_DATA) {
    it(`sends steps to the route that reads them, also after the session_key was replaced, in ${file}`, async () => {
      bed.line = serverOf(file, "app.post('/steps'")
      const names = { client, wx: bed.phone.wx }
      expect(await runs(file, 'getWeRunData', names, 'stepInfoList.length')).to.equal(31)
      bed.sandbox.rotateSessionKey(bed.phone)
      expect(await runs(file, 'getWeRunData', names, 'stepInfoList.length')).to.equal(31)
      expect(bed.logins()).to.equal(2)
    })

    it(`asks for a phone number, and for another tap where the code was used, in ${file}`, async () => {
      const shown: Record<string, string> = {}
      let page = { onPhone: async (_event: object): Promise<void> => undefined }
      const Page = (made: typeof page) => {
        page = { ...made, setData: (fields: object) => Object.assign(shown, fields) } as typeof page
      }
      await runs(file, 'async onPhone', { client, Page }, 'undefined')
      await page.onPhone({ detail: { errMsg: 'getPhoneNumber:fail user deny' } })
      expect(shown).to.deep.equal({})
      const detail = await bed.phone.getPhoneNumber()
      await page.onPhone({ detail })
      expect(shown).to.have.all.keys('phone')
      await page.onPhone({ detail })
      expect(shown).to.have.all.keys('phone', 'hint')
    })

    it(`has a route that reads a phone number, in ${file}`, async () => {
      bed.line = serverOf(file, "app.post('/order'")
      const { code } = await bed.phone.getPhoneNumber()
      const { data } = await client.request({ url: '/order', method: 'POST', data: { code } })
      expect(data)
        .to.have.property('endsWith')
        .that.matches(/^\d{4}$/)
    })
  }
})
