import { hash } from 'node:crypto'
import { chinaDayOf, startOfChinaDay } from './china-day.js'

const DAYS = 31
const MOST_STEPS = 20_000

/** The steps of one day; the timestamp, in seconds, is when it begins in China. */
export interface StepInfo {
  timestamp: number
  step: number
}

/** A user's steps in WeRun: the last 31 days, today at the end. */
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
