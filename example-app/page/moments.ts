import { locale, words } from './language.js'

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400]

/** A length such as "6 hours", in its largest unit. */
export function lengthOf(seconds: number): string {
  const { minutes, hours, days } = words().lengths
  if (seconds < HOUR) return minutes(Math.round(seconds / MINUTE))
  return seconds < DAY ? hours(Math.round(seconds / HOUR)) : days(Math.round(seconds / DAY))
}

/** The same in few characters, such as "6 h". */
export function shortLengthOf(seconds: number): string {
  const { shortMinutes, shortHours, shortDays } = words().lengths
  if (seconds < HOUR) return shortMinutes(Math.round(seconds / MINUTE))
  return seconds < DAY ? shortHours(Math.round(seconds / HOUR)) : shortDays(Math.round(seconds / DAY))
}

/** What is left of a clock, such as "6 d 23:59:08". */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const parts = [Math.floor((seconds % DAY) / HOUR), Math.floor((seconds % HOUR) / MINUTE), seconds % MINUTE]
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':')
  const days = Math.floor(seconds / DAY)
  return days > 0 ? `${words().lengths.shortDays(days)} ${clock}` : clock
}

/** Day and time of a moment. */
export function dayAndTime(moment: string | number, withSeconds = false): string {
  return new Intl.DateTimeFormat(locale(), {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(withSeconds && { year: 'numeric', second: '2-digit' }),
  }).format(new Date(moment))
}

/** Hours and minutes, as a phone shows them. */
export function timeOfDay(moment: number): string {
  const format = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  return new Intl.DateTimeFormat(locale(), format).format(new Date(moment))
}
