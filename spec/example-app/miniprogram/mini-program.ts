import { readFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Phone } from '../../../sandbox/index.js'

export const root: string = fileURLToPath(new URL('../../../example-app/miniprogram/', import.meta.url))

/** What a page hands to `Page()`. */
export interface PageOptions {
  readonly data: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

/** What a handler finds in an event. */
interface PageEvent {
  readonly detail?: object
  readonly dataset?: object
}

/** A page on the screen. */
export interface OpenPage {
  readonly data: Readonly<Record<string, unknown>>
  /** Does to an element of the page what its `bind:<event>` waits for, and resolves when the handler is through. */
  fire(event: string, handler: string, { detail, dataset }?: PageEvent): Promise<void>
  /** Calls what WeChat calls by itself, such as `onShow` and `onPullDownRefresh`. */
  live(moment: 'onShow' | 'onPullDownRefresh'): Promise<void>
}

/** The example mini-program on a phone: what WeChat does around its pages. */
export interface MiniProgram {
  /** What the user was shown besides the pages. */
  readonly toasts: string[]
  readonly questions: string[]
  /** What the user answers to a question. Default: yes. */
  says: 'yes' | 'no'
  refreshesEnded: number
  appsStarted: number
  load<Exports>(file: string): Exports
  optionsOf(route: string): PageOptions
  open(route: string): Promise<OpenPage>
  close(): void
}

const GLOBALS = ['wx', 'App', 'Page'] as const
const require = createRequire(import.meta.url)

/** Starts it afresh, with the back end at this address. */
export function startMiniProgram(phone: Phone, backEnd: string): MiniProgram {
  const pages: PageOptions[] = []
  const globals = globalThis as Record<string, unknown>
  forgetModules()
  pretendConfig(backEnd)

  const miniProgram: MiniProgram = {
    toasts: [],
    questions: [],
    says: 'yes',
    refreshesEnded: 0,
    appsStarted: 0,
    load: (file) => require(`${root}${file}`),
    optionsOf(route) {
      delete require.cache[`${root}${route}.ts`]
      miniProgram.load(`${route}.ts`)
      return pages.pop() ?? expect.fail(`${route} makes no page`)
    },
    async open(route) {
      const page = pageOf(route, miniProgram.optionsOf(route))
      await Promise.all([page.live('onLoad'), page.live('onShow')])
      return page
    },
    close() {
      for (const name of GLOBALS) delete globals[name]
      forgetModules()
    },
  }

  globals.wx = {
    ...phone.wx,
    showToast: ({ title }: { title: string }) => void miniProgram.toasts.push(title),
    showModal: async ({ content }: { content: string }) => {
      miniProgram.questions.push(content)
      return { confirm: miniProgram.says === 'yes', cancel: miniProgram.says === 'no' }
    },
    stopPullDownRefresh: () => {
      miniProgram.refreshesEnded += 1
    },
  }
  globals.App = () => {
    miniProgram.appsStarted += 1
  }
  globals.Page = (options: PageOptions) => void pages.push(options)
  return miniProgram
}

function pageOf(route: string, options: PageOptions) {
  const page = {
    ...options,
    data: structuredClone(options.data) as Record<string, unknown>,
    setData(part: Record<string, unknown>) {
      expect(Object.values(part), 'setData takes no undefined').not.to.include(undefined)
      Object.assign(page.data, structuredClone(part))
    },
  }
  const wxml = readFileSync(`${root}${route}.wxml`, 'utf8')

  async function call(member: string, ...args: unknown[]): Promise<void> {
    const handler = (page as Record<string, unknown>)[member]
    if (typeof handler === 'function') await handler.apply(page, args)
  }

  return {
    data: page.data,
    async fire(event: string, handler: string, { detail = {}, dataset = {} }: PageEvent = {}) {
      expect(wxml).to.contain(`bind:${event}="${handler}"`)
      expect(page).to.have.property(handler).that.is.a('function')
      await call(handler, { type: event, detail, currentTarget: { dataset } })
    },
    live: (moment: 'onLoad' | 'onShow' | 'onPullDownRefresh') => call(moment),
  }
}

/** So that no test meets what an earlier one has left, such as a token in memory. */
function forgetModules(): void {
  for (const path of Object.keys(require.cache)) if (path.startsWith(root)) delete require.cache[path]
}

/** In the place of config.ts: the server of a test has an address of its own. */
function pretendConfig(baseUrl: string): void {
  const path = `${root}config.ts`
  require.cache[path] = Object.assign(new Module(path), { exports: { baseUrl }, loaded: true })
}
