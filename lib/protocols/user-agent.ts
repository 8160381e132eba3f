import type { WireRequest } from './protocol.js'

/** Longer ones are none of a phone. */
const MOST_READ = 1024
const DEV_TOOLS = /\bwechatdevtools(?:\/([\d.]{1,20}))?/
const COMPUTER = /\b(Windows|Mac)Wechat\b/
const APPLE = /\((iPhone|iPad|iPod)[^)]{0,80}? OS (\d{1,3}(?:_\d{1,3}){0,2})/
const ANDROID = /\bAndroid (\d{1,3}(?:\.\d{1,3}){0,2})(?:; [a-z]{2}-[A-Za-z]{2})?(?:; ([^;()]{1,80}))?/
const HARMONY = /\bOpenHarmony (\d{1,3}(?:\.\d{1,3}){0,3})/
const WECHAT = /\bMicroMessenger\/(\d{1,3}(?:\.\d{1,5}){0,2})/
/** What browsers say in place of the model. */
const NO_MODEL = 'K'

/**
 * Returns the device in a few words, from the header `User-Agent`: `iPhone, iOS 16.6, WeChat 8.0.44`.
 * Undefined when that names none. For requests of phones: that of a business server says nothing about them.
 */
export function deviceIn({ headers }: WireRequest): string | undefined {
  const userAgent = headers['user-agent']?.[0]?.slice(0, MOST_READ) ?? ''
  // Both call themselves phones, too.
  const devTools = DEV_TOOLS.exec(userAgent)
  if (devTools) return joined(' ', 'WeChat DevTools', devTools[1])
  const computer = COMPUTER.exec(userAgent)?.[1]
  if (computer) return `${computer}, WeChat`
  const wechat = WECHAT.exec(userAgent)?.[1]
  const phone = phoneIn(userAgent)
  return phone && joined(', ', phone, wechat && `WeChat ${wechat}`)
}

function phoneIn(userAgent: string): string | undefined {
  const [, device, iOS] = APPLE.exec(userAgent) ?? []
  if (device && iOS) return `${device}, iOS ${iOS.replaceAll('_', '.')}`
  const [, harmony] = HARMONY.exec(userAgent) ?? []
  if (harmony) return `HarmonyOS ${harmony}`
  const [, android, build = ''] = ANDROID.exec(userAgent) ?? []
  const model = build.split(' Build/')[0]?.trim()
  return android && joined(', ', model === NO_MODEL ? undefined : model, `Android ${android}`)
}

function joined(separator: string, ...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(separator)
}
