import { readFile } from 'node:fs/promises'
import { STORE_WORDS } from './traced-store.js'

/** The lines that the steps of the log link to, and the files that they are in. */
export interface Sources {
  readonly places: readonly SourcePlace[]
  /** By the number that a place names its file by. The page can ask for these files and for no other. */
  readonly files: readonly SourceFile[]
}

/** A line of code or of a document. */
export interface SourcePlace {
  /** What a step calls it in its `source`. */
  readonly name: string
  readonly file: number
  readonly path: string
  /** Counted from 1. */
  readonly line: number
  /** The language of a document that there is in two; undefined for code. */
  readonly language?: 'en' | 'zh' | undefined
}

export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** For where the sources are not at hand, such as the published package: the log has no links. */
export const NO_SOURCES: Sources = { places: [], files: [] }

/** A line to look for: the one in which the match of `pattern` ends. */
interface Landmark {
  readonly name: string
  readonly path: string
  readonly pattern: RegExp
  readonly language?: 'en' | 'zh'
}

const APP = 'example-app/assemble-app.ts'
const PHONE = 'example-app/page/phone-actions.ts'

const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ['post', '/login'],
  ['post', '/logout'],
  ['put', '/session/user-info'],
  ['post', '/session/phone-number'],
  ['get', '/sessions'],
  ['delete', '/sessions/:id'],
]

const FIXED: readonly Landmark[] = [
  { name: 'wx.login', path: 'client/log-in.ts', pattern: /\(wx, 'login', / },
  { name: 'wx.getWeRunData', path: PHONE, pattern: /await wx\.getWeRunData\(/ },
  { name: 'wx.getPhoneNumber', path: PHONE, pattern: /await wx\.getPhoneNumber\(/ },
  { name: 'GET /me', path: APP, pattern: /app\.get\('\/me'/ },
  { name: 'answer GET /me', path: APP, pattern: /app\.get\('\/me'[\s\S]*?res\.json/ },
  { name: 'POST /steps', path: APP, pattern: /app\.post\('\/steps'/ },
  { name: 'answer POST /steps', path: APP, pattern: /app\.post\('\/steps'[\s\S]*?res\.json/ },
  { name: 'failure', path: 'example-app/error-handlers.ts', pattern: /export const errorHandler/ },
  {
    name: 'GET /sns/jscode2session',
    path: 'lib/wechat/code2session.ts',
    pattern: /path: '\/sns\/jscode2session'/,
  },
  {
    name: 'answer GET /sns/jscode2session',
    path: 'lib/wechat/code2session.ts',
    pattern: /\{[^}]*session_key[^}]*\}/,
  },
  {
    name: 'POST /cgi-bin/stable_token',
    path: 'lib/wechat/access-token.ts',
    pattern: /path: '\/cgi-bin\/stable_token'/,
  },
  {
    name: 'answer POST /cgi-bin/stable_token',
    path: 'lib/wechat/access-token.ts',
    pattern: /\{[^}]*access_token[^}]*\} =/,
  },
  {
    name: 'POST /wxa/business/getuserphonenumber',
    path: 'lib/wechat/phone-number.ts',
    pattern: /path: '\/wxa\/business\/getuserphonenumber'/,
  },
  {
    name: 'answer POST /wxa/business/getuserphonenumber',
    path: 'lib/wechat/phone-number.ts',
    pattern: /path: '\/wxa\/business\/getuserphonenumber'[\s\S]*?phone_info/,
  },
]

/**
 * Finds the lines in the files below `root`. A file that is not there is left out, and so is a line that is not found: a step without a
 * place has no link. Default of `root`: the repository.
 */
export async function readSources(
  store: 'memory' | 'redis',
  root: URL = new URL('../../', import.meta.url),
): Promise<Sources> {
  const landmarks = [...FIXED, ...ROUTES.flatMap(landmarksOfRoute), ...landmarksOfStore(store)]
  const documents = [
    { path: 'docs/error-codes.md', clientPath: 'docs/mini-program.md', language: 'en' },
    { path: 'docs/error-codes.zh-CN.md', clientPath: 'docs/mini-program.zh-CN.md', language: 'zh' },
  ] as const
  const paths = [...landmarks, ...documents].map(({ path }) => path)
  const files = await readFiles(root, new Set([...paths, ...documents.map(({ clientPath }) => clientPath)]))

  for (const { path, clientPath, language } of documents) {
    const text = files.find((file) => file.path === path)?.text ?? ''
    for (const [, code = ''] of text.matchAll(/^## (ERR_\w+)$/gm)) {
      landmarks.push({ name: code, path, pattern: new RegExp(`^## ${code}$`, 'm'), language })
    }
    for (const code of ['ERR_NETWORK', 'ERR_WX_LOGIN']) {
      landmarks.push({ name: code, path: clientPath, pattern: new RegExp(`^\\| \`${code}\``, 'm'), language })
    }
  }
  return { files, places: landmarks.flatMap((landmark) => find(landmark, files)) }
}

function landmarksOfRoute([method, path]: (typeof ROUTES)[number]): Landmark[] {
  const name = `${method.toUpperCase()} ${path}`
  const route = `method: '${method}',\\s+path: '${path}',`
  const file = 'lib/protocols/native.ts'
  return [
    { name, path: file, pattern: new RegExp(route) },
    { name: `answer ${name}`, path: file, pattern: new RegExp(`${route}[\\s\\S]*?\\bwrite:`) },
  ]
}

function landmarksOfStore(store: 'memory' | 'redis'): Landmark[] {
  const path = `lib/stores/${store}-store.ts`
  return Object.keys(STORE_WORDS).map((method) => ({
    name: `store.${method}`,
    path,
    pattern: new RegExp(`^  async ${method}\\(`, 'm'),
  }))
}

async function readFiles(root: URL, paths: ReadonlySet<string>): Promise<SourceFile[]> {
  const files = await Promise.all(
    [...paths].map(async (path) => {
      const text = await readFile(new URL(path, root), 'utf8').catch(() => undefined)
      return text === undefined ? [] : [{ path, text }]
    }),
  )
  return files.flat()
}

function find({ name, path, pattern, language }: Landmark, files: readonly SourceFile[]): SourcePlace[] {
  const file = files.findIndex((known) => known.path === path)
  const text = files[file]?.text ?? ''
  const match = pattern.exec(text)
  if (!match) return []
  const line = text.slice(0, match.index + match[0].length).split('\n').length
  return [{ name, file, path, line, language }]
}
