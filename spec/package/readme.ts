import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-tree.js'

export const readmes = ['README.md', 'README-zh-CN.md'] as const
export const references = ['docs/reference.md', 'docs/reference.zh-CN.md'] as const

export interface CodeBlock {
  readonly language: string
  readonly code: string
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

/** The level of each heading, in order. */
export function headingLevels(markdown: string): number[] {
  const withoutCode = markdown.replace(/^```.*?^```$/gms, '')
  return [...withoutCode.matchAll(/^(#+) /gm)].map(([, marks = '']) => marks.length)
}

/** The anchors of the headings, as GitHub makes them. */
export function headingAnchors(markdown: string): string[] {
  const withoutCode = markdown.replace(/^```.*?^```$/gms, '')
  return [...withoutCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** What stands under a heading, up to the next one of any level. */
export function section(markdown: string, heading: string): string {
  const [, rest] = markdown.split(`\n${heading}\n`)
  if (rest === undefined) throw new Error(`there is no heading "${heading}"`)
  return rest.split(/^#+ /m)[0] ?? ''
}

/** The names in the first column of the first table, where they stand in backticks. */
export function rowNames(markdown: string): string[] {
  const [table = ''] = /(?:^\|.*\n)+/m.exec(markdown) ?? []
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)
}

/** Where the relative links lead. */
export function relativeLinks(markdown: string): string[] {
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return [...new Set(targets.filter((target) => !/^https?:/.test(target)))]
}

/** The code block of a document that has this text in it. */
export function blockWith(markdown: string, words: string): string {
  const found = codeBlocks(markdown).filter(({ code }) => code.includes(words))
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} code blocks have "${words}"`)
  return found[0].code
}

/** The code blocks without what is in the language of the document: comments, and texts that a person reads. */
export function codeInNoLanguage(markdown: string): CodeBlock[] {
  const isProse = (text: string) => /[ \p{Script=Han}]/u.test(text)
  return codeBlocks(markdown).map(({ language, code }) => ({
    language,
    code: code
      .replace(/^ *(?:\/\/|--) .*\n| +\/\/ .*$/gm, '')
      .replace(language === 'html' ? />[^<>\n]*</g : /'[^'\n]*'/g, (text) => (isProse(text) ? "''" : text)),
  }))
}

/** The server of the quick start, which is JavaScript and TypeScript. */
export function readmeProgram(): string {
  return blockWith(readText('README.md'), 'new RedisStore(')
}

/** The test of that server, on port 3001. */
export function readmeTest(): string {
  return blockWith(readText('README.md'), 'await createSandbox()')
}

/** That server, printing its port: with PORT=0 it is a free one. */
export function runnableProgram(): string {
  return `${readmeProgram()}
server.once('listening', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(address.port)
})
`
}

/** Lines at the end of a program: they make `app` listen and print the port. */
export const listening = `const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(address.port)
})
`

/** The same program with `require()` and `exports` in place of its imports and exports. */
export function asCommonJs(program: string): string {
  return program
    .replace(/^import ([^'"]+?) from ('.+')$/gm, 'const $1 = require($2)')
    .replace(/^export const (\w+) =/gm, 'const $1 = exports.$1 =')
}
