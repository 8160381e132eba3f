import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentTables } from './document-tables.js'
import type { Results } from './results.js'
import { root } from './root.js'
import type { Language } from './targets.js'

/** The documents that quote the bench, and their languages. */
export const DOCUMENTS: Readonly<Record<string, Language>> = {
  'docs/operations.md': 'en',
  'docs/operations.zh-CN.md': 'zh',
  'docs/performance.md': 'en',
  'docs/performance.zh-CN.md': 'zh',
}

/** Puts the tables of a run into the documents. */
export function updateDocuments(results: Results): void {
  for (const [path, language] of Object.entries(DOCUMENTS)) {
    const file = join(root, path)
    writeFileSync(file, quoting(readFileSync(file, 'utf8'), results, language))
  }
}

/** Returns a document with the tables of a run, each between `<!-- bench: its name -->` and `<!-- /bench -->`. */
export function quoting(text: string, results: Results, language: Language): string {
  const tables = documentTables(results, language)
  return text.replace(/(<!-- bench: (\w+) -->\n)[\s\S]*?(\n<!-- \/bench -->)/g, (_all, begin, name, end) => {
    return `${begin}\n${tables[name] ?? ''}\n${end}`
  })
}
