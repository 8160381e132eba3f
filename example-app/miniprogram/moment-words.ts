/** A time of the back end, as the user's clock shows it: `3月8日 09:05`. */
export function momentWords(iso: string): string {
  const at = new Date(iso)
  return `${at.getMonth() + 1}月${at.getDate()}日 ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
