import type { Row } from './bench.js'

/** The rows as a table in Markdown, as documents quote it. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ number, what, target, measured, verdict }) => {
    return `| ${number} | ${what} | ${target} | ${measured} | ${verdict === 'missed' ? '**missed**' : verdict} |`
  })
  return ['| # | what | target | measured | |', '| --- | --- | --- | --- | --- |', ...lines, ''].join('\n')
}

/** Figures by name, the largest share first as they come. */
export function list(title: string, figures: Readonly<Record<string, number>>, most = 12): string {
  const lines = Object.entries(figures)
    .slice(0, most)
    .map(([name, value]) => `  ${value.toFixed(1).padStart(8)}  ${name}`)
  return [title, ...lines, ''].join('\n')
}
