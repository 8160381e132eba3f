import { hash } from 'node:crypto'
import { chinaDayOf, startOfChinaDay } from './china-day.js'

const DAYS = 31
const MOST_STEPS = 20_000

/** `timestamp` is when the day begins in China, in seconds since 1970. */
interface StepInfo {
  timestamp: number
  step: number
}

/** Returns a user's steps of the last 31 days, today last. */
export function stepInfoList(user: string, now: number): StepInfo[] {
  const today = chinaDayOf(now)
  return Array.from({ length: DAYS }, (_, index) => {
    const timestamp = startOfChinaDay(today - DAYS + 1 + index)
    return { timestamp, step: stepsOn(user, timestamp) }
  })
}

function stepsOn(user: string, timestamp: number): number {
  return Number.parseInt(hash('sha256', `steps\n${user}\n${timestamp}`).slice(0, 8), 16) % MOST_STEPS
}
