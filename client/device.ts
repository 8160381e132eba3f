import type { WxLike } from './wx.js'

/** Returns brand and model of the phone, blank where it does not say. Never fails. */
export function deviceOf(wx: WxLike): string {
  try {
    const info = wx.getDeviceInfo ? wx.getDeviceInfo() : (wx as Required<WxLike>).getSystemInfoSync()
    return [(info as Info).brand, (info as Info).model].join(' ')
  } catch {
    return ''
  }
}

interface Info {
  brand: unknown
  model: unknown
}
