import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Client, type ClientOptions, createClient } from '../../client/index.js'
import { blockWith, readText } from '../package/readme.js'
import { type ClientBed, openClientBed } from './client-bed.js'

const GUIDE = 'docs/mini-program.md'

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
    const code = blockWith(readText(file), words)
      .replace(/^(?:\/\/.*\n)?import .*\n/, '')
      .replace('export ', '')
      .replaceAll('https://api.example.com', bed.url)
    const work = new Function(...Object.keys(names), `return (async () => {\n${code}\nreturn ${answer}\n})()`)
    return work(...Object.values(names))
  }

  const makeClient = (options: ClientOptions) => createClient({ ...options, wx: bed.phone.wx })

  it('runs as the README has it', async () => {
    const data = await runs('README.md', 'createClient({', { createClient: makeClient }, 'data')
    expect(data).to.include({ openid: bed.phone.openid })
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

  it('gets and sends data anew where the key of WeChat is another one, as docs/user-data.md has it', async () => {
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const names = { client, wx: bed.phone.wx }
    const answer = await runs('docs/user-data.md', 'sendSteps', names, 'sendSteps()')
    expect((answer as { stepInfoList: unknown[] }).stepInfoList).to.have.lengthOf(31)
  })

  it('shows the phone number on the page, as docs/user-data.md has it', async () => {
    const pages: { onPhone(event: object): Promise<void> }[] = []
    const names = { client, Page: (page: (typeof pages)[number]) => void pages.push(page) }
    await runs('docs/user-data.md', 'async onPhone(', names, 'undefined')
    const shown: object[] = []
    const page = { ...pages[0], setData: (data: object) => void shown.push(data) } as (typeof pages)[number]
    await page.onPhone({ detail: {} })
    await page.onPhone({ detail: { code: 'a-code-that-is-none' } })
    await page.onPhone({ detail: await bed.phone.getPhoneNumber() })
    expect(shown).to.have.lengthOf(2)
    expect(shown[0]).to.deep.equal({ hint: 'Please tap again' })
    expect(shown[1])
      .to.have.property('phone')
      .that.matches(/^1\d{10}$/)
  })

  it('asks for a phone number, or for none', async () => {
    const ask = await runs(GUIDE, 'purePhoneNumber', { client }, 'onGetPhoneNumber')
    const onGetPhoneNumber = ask as (event: { detail: object }) => Promise<void>
    await onGetPhoneNumber({ detail: { errMsg: 'getPhoneNumber:fail user deny' } })
    expect(bed.asked).to.deep.equal([])
    await onGetPhoneNumber({ detail: await bed.phone.getPhoneNumber() })
    expect(bed.asked).to.deep.equal(['POST /login', 'POST /session/phone-number'])
  })
})
