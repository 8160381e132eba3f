import type { Row, Verdict } from './bench.js'
import { type Language, TARGETS } from './targets.js'

const HEADS: Readonly<Record<Language, readonly string[]>> = {
  en: ['#', 'what', 'target', 'measured', 'verdict'],
  zh: ['#', '内容', '目标', '实测', '结论'],
}

const VERDICTS: Readonly<Record<Language, Readonly<Record<Verdict, string>>>> = {
  en: { met: 'met', missed: '**missed**', 'not there': 'not there yet', 'too noisy': 'too noisy' },
  zh: { met: '达到', missed: '**未达到**', 'not there': '还没有', 'too noisy': '噪声太大' },
}

/** The rows as a table in Markdown. */
export function rowTable(rows: readonly Row[], language: Language): string {
  const lines = rows.map(({ number, measured, verdict }) => {
    const row = TARGETS[number]
    return [
      String(number),
      row?.what[language] ?? '',
      row?.target ?? '',
      measured,
      VERDICTS[language][verdict],
    ]
  })
  return markdownTable(HEADS[language], lines)
}

export function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [heads, heads.map(() => '---'), ...lines]
  return all.map((cells) => `|${cells.map((cell) => ` ${cell} `.replace('  ', ' ')).join('|')}|`).join('\n')
}
