/** Formats an ISO 8601 time in the user's time zone: `3月8日 09:05`. */
export function formatTime(iso: string): string {
  const at = new Date(iso)
  return `${at.getMonth() + 1}月${at.getDate()}日 ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
