import { attempt, idle } from '../../attempt.js'
import { fetchMe } from '../../me.js'
import { client } from '../../session.js'

const nobody = { isLoggedIn: false, nickName: '', avatarUrl: '', logins: 0 }

Page({
  data: { ...idle, ...nobody },

  /** Also runs at launch, where it must not log in: only a tap does. */
  onShow() {
    return client.isLoggedIn() ? this.refresh() : this.setData(nobody)
  },

  async onPullDownRefresh() {
    await this.onShow()
    wx.stopPullDownRefresh()
  },

  async refresh() {
    await attempt(this, () => this.showMe())
    if (!client.isLoggedIn()) this.setData(nobody)
  },

  logIn() {
    return attempt(this, async () => {
      await client.login()
      await this.showMe()
    })
  },

  logOut() {
    return attempt(this, async () => {
      await client.logout()
      this.setData(nobody)
    })
  },

  async showMe() {
    this.setData({ isLoggedIn: true })
    const { userInfo, user } = await fetchMe()
    this.setData({
      nickName: userInfo?.nickName ?? '',
      avatarUrl: userInfo?.avatarUrl ?? '',
      logins: user.logins,
    })
  },
})
