import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { OpenPage } from './mini-program.js'
import { type MiniProgramBed, openMiniProgramBed } from './mini-program-bed.js'

const ROUTE = 'pages/profile/profile'
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

describe('the profile page of the mini-program', () => {
  let bed: MiniProgramBed
  let page: OpenPage

  beforeEach(async () => {
    bed = await openMiniProgramBed()
    page = await bed.miniProgram.open(ROUTE)
  })
  afterEach(() => bed.close())

  const userInfo = async () => (await bed.ask<{ userInfo: unknown }>('/session')).data.userInfo

  const choose = (content: string | Uint8Array) =>
    page.fire('chooseavatar', 'chooseAvatar', { detail: { avatarUrl: bed.phone.files.add(content) } })

  const save = (nickName: string) => page.fire('submit', 'save', { detail: { value: { nickName } } })

  const uploads = () => bed.seen.filter((answer) => answer.includes('"avatarUrl":"/avatars/')).length

  it('saves a nickname', async () => {
    await save(' 小明 ')
    expect(page.data).to.include({ nickName: '小明', failure: '', isBusy: false })
    expect(bed.miniProgram.toasts).to.deep.equal(['已保存'])
    expect(await userInfo()).to.deep.equal({ nickName: '小明', verified: false })
  })

  it('uploads the chosen avatar, and saves where it is', async () => {
    await choose(PNG)
    expect(uploads()).to.equal(0)
    await save('小明')
    const { avatarUrl } = page.data
    expect(await userInfo()).to.deep.equal({ nickName: '小明', avatarUrl, verified: false })
    expect(page.data).to.include({ chosenAvatar: '', failure: '' })
    const { tempFilePath = '' } = await bed.phone.wx.downloadFile({ url: String(avatarUrl) })
    expect(Buffer.from(bed.phone.files.read(tempFilePath) ?? [])).to.deep.equal(PNG)
  })

  it('shows the profile that is there, and keeps the avatar when the nickname changes', async () => {
    await choose(PNG)
    await save('小明')
    const { avatarUrl } = page.data
    page = await bed.restart().open(ROUTE)
    expect(page.data).to.include({ nickName: '小明', avatarUrl, chosenAvatar: '' })
    await save('小红')
    expect(await userInfo()).to.deep.equal({ nickName: '小红', avatarUrl, verified: false })
    expect(uploads()).to.equal(1)
  })

  it('uploads the avatar once, also when the rest has to be sent again', async () => {
    await choose(PNG)
    await save('长'.repeat(2000))
    expect(page.data).to.include({ failure: '请求被拒绝，请检查后重试', isBusy: false })
    await save('小明')
    expect(page.data).to.include({ failure: '' })
    expect(uploads()).to.equal(1)
    expect(bed.miniProgram.toasts).to.deep.equal(['已保存'])
  })

  it('asks for a nickname, and sends nothing without one', async () => {
    const before = bed.seen.length
    await save('  ')
    expect(page.data).to.include({ failure: '请填写昵称' })
    expect(bed.seen).to.have.lengthOf(before)
  })

  it('says that a file is no picture, and saves nothing', async () => {
    await choose('not a picture')
    await save('小明')
    expect(page.data).to.include({ failure: '请求被拒绝，请检查后重试' })
    expect(await userInfo()).to.equal(null)
  })

  it('says that a picture is too large', async () => {
    await choose(Buffer.concat([PNG, Buffer.alloc(3 * 1024 * 1024)]))
    await save('小明')
    expect(page.data).to.include({ failure: '内容太大，请换小一点的' })
    expect(bed.miniProgram.toasts).to.deep.equal([])
  })

  it('keeps the choice while the network is away', async () => {
    await choose(PNG)
    bed.phone.offline = true
    await save('小明')
    expect(page.data).to.include({ failure: '网络不通，请检查网络后再试' })
    bed.phone.offline = false
    await save('小明')
    expect(page.data).to.include({ chosenAvatar: '', failure: '' })
    expect(uploads()).to.equal(1)
  })
})
