import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../../sandbox/index.js'
import { type MiniProgram, root, startMiniProgram } from './mini-program.js'

interface AppConfig {
  pages: string[]
  sitemapLocation: string
}

interface ProjectConfig {
  appid: string
  compileType: string
  miniprogramRoot: string
  setting: { useCompilerPlugins: string[] }
}

const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')
const readJson = <Content>(file: string): Content => JSON.parse(read(file))
const app = readJson<AppConfig>('app.json')

/** The names of the handlers that a template binds events to. */
function handlersIn(wxml: string): string[] {
  return [...wxml.matchAll(/\s(?:capture-|mut-)?(?:bind|catch):?[a-z]+="(\w+)"/g)].map(
    ([, name = '']) => name,
  )
}

/** The names that the expressions of a template begin with, without those that a loop brings. */
function dataNamesIn(wxml: string): string[] {
  const ofLoops = [...wxml.matchAll(/wx:for-(?:item|index)="(\w+)"/g)].map(([, name]) => name)
  const expressions = [...wxml.matchAll(/\{\{(.+?)\}\}/g)].map(([, text = '']) =>
    text.replace(/'[^']*'/g, ''),
  )
  const names = expressions.flatMap((text) => text.match(/(?<![.\w])[a-z]\w*/gi) ?? [])
  return names.filter((name) => !ofLoops.includes(name))
}

describe('the project of the mini-program', () => {
  let sandbox: Sandbox
  let miniProgram: MiniProgram

  beforeEach(async () => {
    sandbox = await createSandbox()
    miniProgram = startMiniProgram(sandbox.phone(), 'http://127.0.0.1')
  })
  afterEach(async () => {
    miniProgram.close()
    await sandbox.close()
  })

  it('lists every page there is, each with its four files', () => {
    const folders = readdirSync(`${root}pages`).map((name) => `pages/${name}/${name}`)
    expect([...app.pages].sort()).to.deep.equal(folders.sort())
    const files = app.pages.flatMap((page) => ['ts', 'wxml', 'wxss', 'json'].map((end) => `${page}.${end}`))
    expect(files.filter((file) => !existsSync(`${root}${file}`))).to.deep.equal([])
    for (const page of app.pages) expect(readJson(`${page}.json`)).to.be.an('object')
  })

  it('starts one app, which asks nobody', () => {
    miniProgram.load('app.ts')
    expect(miniProgram.appsStarted).to.equal(1)
    expect(sandbox.calls('/sandbox/login')).to.deep.equal([])
  })

  for (const page of app.pages) {
    it(`binds the events of ${page} to handlers that exist`, () => {
      const handlers = handlersIn(read(`${page}.wxml`))
      const options = miniProgram.optionsOf(page)
      expect(handlers.filter((name) => typeof options[name] !== 'function')).to.deep.equal([])
    })

    it(`shows in ${page} only data that exist`, () => {
      const names = dataNamesIn(read(`${page}.wxml`))
      expect(names).to.include('failure')
      expect(Object.keys(miniProgram.optionsOf(page).data)).to.include.members(names)
    })

    it(`leads from ${page} only to pages that exist`, () => {
      const urls = [...read(`${page}.wxml`).matchAll(/\surl="\/([^"?]+)/g)].map(([, url]) => url)
      expect(app.pages).to.include.members(urls)
    })
  }

  it('sees the handlers and the data of a template', () => {
    const wxml = `<b bind:tap="a" class="{{b ? 'x' : c.d}}" wx:for-item="e"><c bindinput="f" mut-bind:tap="g">{{!e.h}}</c></b>`
    expect(handlersIn(wxml)).to.deep.equal(['a', 'f', 'g'])
    expect(dataNamesIn(wxml)).to.deep.equal(['b', 'c'])
  })

  it('opens in DevTools: TypeScript, and npm built beside the pages', () => {
    const project = readJson<ProjectConfig>('project.config.json')
    expect(project).to.include({ appid: 'touristappid', compileType: 'miniprogram', miniprogramRoot: './' })
    expect(project.setting).to.include({ es6: true, enhance: true, urlCheck: false, packNpmManually: false })
    expect(project.setting.useCompilerPlugins).to.deep.equal(['typescript'])
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>('package.json')
    const main = readFileSync(
      posix.join(root, dependencies['weapp-session']?.slice(5) ?? '', 'package.json'),
      'utf8',
    )
    expect(JSON.parse(main)).to.include({ name: 'weapp-session', miniprogram: 'dist/client' })
  })

  it('has a sitemap that keeps it out of the search', () => {
    expect(readJson(app.sitemapLocation)).to.deep.equal({ rules: [{ action: 'disallow', page: '*' }] })
  })
})
