import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-tree.js'

export const readmes = ['README.md', 'README.zh-CN.md'] as const

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

/** Where the relative links lead, without anchors. */
export function linkedFiles(markdown: string): string[] {
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  const files = targets.filter((target) => !/^(?:https?:|#)/.test(target))
  return [...new Set(files.map((target) => target.split('#')[0] ?? ''))]
}

/** The code block of a README that has this text in it. */
export function blockWith(markdown: string, words: string): string {
  const found = codeBlocks(markdown).filter(({ code }) => code.includes(words))
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} code blocks have "${words}"`)
  return found[0].code
}

/** The program with which the README begins. */
export function readmeProgram(): string {
  return blockWith(readText('README.md'), 'new RedisStore(')
}

/** The program with real credentials, listening on a free port, which it prints. */
export function runnableProgram(app: { appid: string; secret: string }, baseUrl: string): string {
  const credentials = `appid: '${app.appid}', secret: '${app.secret}'`
  return replaceOnce(
    replaceOnce(
      readmeProgram(),
      `apps: [{ appid: 'wx…', secret: '…' }],`,
      `apps: [{ ${credentials} }],\n  wechat: { baseUrl: '${baseUrl}' },`,
    ),
    'app.listen(3000)',
    listening,
  )
}

/** Lines at the end of a program: they make `app` listen and print the port. */
export const listening = `const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(address.port)
})
`

/** The same program with `require()` in place of its imports. */
export function asCommonJs(program: string): string {
  return program.replace(/^import (.+) from ('.+')$/gm, 'const $1 = require($2)')
}

function replaceOnce(text: string, old: string, replacement: string): string {
  if (text.split(old).length !== 2) throw new Error(`the program of the README has no "${old}"`)
  return text.replace(old, () => replacement)
}
