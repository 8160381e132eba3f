const DAY_MS = 24 * 60 * 60 * 1000
const CHINA_OFFSET_MS = 8 * 60 * 60 * 1000

/** The number of days since 1970 in China, by which WeChat counts steps and calls. */
export function chinaDayOf(now: number): number {
  return Math.floor((now + CHINA_OFFSET_MS) / DAY_MS)
}

/** When that day begins, in seconds since 1970. */
export function startOfChinaDay(day: number): number {
  return (day * DAY_MS - CHINA_OFFSET_MS) / 1000
}
