import { attempt, idle } from '../../attempt.js'
import { baseUrl } from '../../config.js'
import { fetchMe } from '../../me.js'
import { client, dataOf } from '../../session.js'

Page({
  data: { ...idle, nickName: '', avatarUrl: '', chosenAvatar: '' },

  onLoad() {
    return attempt(this, async () => {
      const { userInfo } = await fetchMe()
      this.setData({ nickName: userInfo?.nickName ?? '', avatarUrl: userInfo?.avatarUrl ?? '' })
    })
  },

  /** Until the form is saved, the avatar is a file on the phone. */
  chooseAvatar(event: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    this.setData({ chosenAvatar: event.detail.avatarUrl, failure: '' })
  },

  async save(event: WechatMiniprogram.CustomEvent<{ value: { nickName: string } }>) {
    const nickName = event.detail.value.nickName.trim()
    if (nickName === '') {
      this.setData({ failure: '请填写昵称' })
      return
    }
    await attempt(this, async () => {
      if (this.data.chosenAvatar) await this.uploadAvatar()
      const { avatarUrl } = this.data
      await client.setUserInfo({ userInfo: { nickName, ...(avatarUrl && { avatarUrl }) } })
      this.setData({ nickName })
      wx.showToast({ title: '已保存', icon: 'success' })
    })
  },

  async uploadAvatar() {
    const filePath = this.data.chosenAvatar
    const text = dataOf(await client.uploadFile({ url: '/avatar', filePath, name: 'avatar' }))
    const { avatarUrl } = JSON.parse(text) as { avatarUrl: string }
    this.setData({ avatarUrl: baseUrl + avatarUrl, chosenAvatar: '' })
  },
})
