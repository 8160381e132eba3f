import { attempt, idle } from '../../attempt.js'
import { formatTime } from '../../format-time.js'
import { requestData } from '../../session.js'

interface Session {
  id: string
  current: boolean
  createdAt: string
  lastVisitAt: string
  expiresAt: string
}

type Tap = WechatMiniprogram.TouchEvent<object, object, { id: string }>

Page({
  data: { ...idle, devices: [] as Session[], hasOthers: false },

  onLoad() {
    return attempt(this, () => this.showDevices())
  },

  async onPullDownRefresh() {
    await attempt(this, () => this.showDevices())
    wx.stopPullDownRefresh()
  },

  end(event: Tap) {
    return this.confirmAndEnd('让这台设备退出登录？', `/sessions/${event.currentTarget.dataset.id}`)
  },

  endOthers() {
    return this.confirmAndEnd('让其他设备全部退出登录？', '/sessions')
  },

  async confirmAndEnd(content: string, url: string) {
    const { confirm } = await wx.showModal({ title: '提示', content, confirmText: '退出' })
    if (!confirm) return
    await attempt(this, async () => {
      await requestData('DELETE', url)
      wx.showToast({ title: '已退出', icon: 'success' })
      await this.showDevices()
    })
  },

  async showDevices() {
    const { sessions } = await requestData<{ sessions: Session[] }>('GET', '/sessions')
    this.setData({ devices: sessions.map(withFormattedTimes), hasOthers: sessions.length > 1 })
  },
})

function withFormattedTimes(session: Session): Session {
  return {
    ...session,
    createdAt: formatTime(session.createdAt),
    lastVisitAt: formatTime(session.lastVisitAt),
    expiresAt: formatTime(session.expiresAt),
  }
}
