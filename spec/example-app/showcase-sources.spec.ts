import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import express from 'express'
import { after, before, describe, it } from 'mocha'
import supertest from 'supertest'
import { openShowcase } from '../../example-app/showcase/showcase.js'
import { showcaseRouter } from '../../example-app/showcase/showcase-router.js'
import { NO_SOURCES, readSources, type SourcePlace } from '../../example-app/showcase/sources.js'
import { STORE_WORDS } from '../../example-app/showcase/traced-store.js'
import { createSessions, ERROR_CODES, MemoryStore } from '../../lib/index.js'
import { openShowcaseBed, type ShowcaseBed } from './showcase-bed.js'

/** Methods that a store may go without. */
const OPTIONAL_METHODS = ['close']

const ROUTES = [
  'GET /me',
  'POST /steps',
  'POST /login',
  'POST /logout',
  'PUT /session/user-info',
  'POST /session/phone-number',
  'GET /sessions',
  'DELETE /sessions/:id',
  'GET /sns/jscode2session',
  'POST /cgi-bin/stable_token',
  'POST /wxa/business/getuserphonenumber',
]

describe('the sources that the log of the page links to', () => {
  let bed: ShowcaseBed
  before(async () => {
    bed = await openShowcaseBed()
  })
  after(() => bed.close())

  for (const store of ['memory', 'redis'] as const) {
    it(`have a line for whatever a step can be, with the store ${store}`, async () => {
      const { places, files } = await readSources(store)
      const names = places.map(({ name }) => name)
      const calls = Object.keys(STORE_WORDS).filter((method) => !OPTIONAL_METHODS.includes(method))
      expect(names).to.include.members([
        ...['wx.login', 'wx.getWeRunData', 'wx.getPhoneNumber', 'failure'],
        ...ROUTES.flatMap((route) => [route, `answer ${route}`]),
        ...calls.map((method) => `store.${method}`),
      ])
      for (const { path, file, line } of places) {
        expect(files[file]?.path).to.equal(path)
        expect(files[file]?.text.split('\n')[line - 1]).to.match(/\S/)
      }
    })
  }

  it('have a document in both languages for each error', async () => {
    const { places } = await readSources('memory')
    for (const code of [...ERROR_CODES, 'ERR_NETWORK', 'ERR_WX_LOGIN']) {
      const languages = places.filter(({ name }) => name === code).map(({ language }) => language)
      expect(languages, code).to.deep.equal(['en', 'zh'])
    }
  })

  it('are sent as plain text, by their number', async () => {
    const places: SourcePlace[] = (await supertest(bed.url).get('/showcase/sources').expect(200)).body
    const [{ file, path }] = places.filter(({ name }) => name === 'POST /login') as [SourcePlace]
    const sent = await supertest(bed.url).get(`/showcase/sources/${file}`).expect(200)
    expect(sent.headers).to.include({ 'x-content-type-options': 'nosniff' })
    expect(sent.headers['content-type']).to.match(/^text\/plain/)
    expect(path).to.equal('lib/protocols/native.ts')
    expect(sent.text).to.contain('export function nativeProtocol')
  })

  it('are no other files than those, whatever is asked for', async () => {
    const { files } = bed.runtime.showcase?.sources ?? NO_SOURCES
    for (const file of [
      String(files.length),
      '-1',
      '0.5',
      'length',
      'constructor',
      'package.json',
      '..%2fpackage.json',
      '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
      '/etc/passwd',
    ]) {
      const refused = await supertest(bed.url).get(`/showcase/sources/${file}`).expect(404)
      expect(refused.headers['content-type'], file).to.match(/json/)
    }
  })

  it('are for whoever sits at the machine', async () => {
    for (const path of ['/showcase/sources', '/showcase/sources/0']) {
      await supertest(bed.url).get(path).set('host', 'evil.example').expect(403)
    }
  })

  it('are left out where the files are not at hand', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weapp-session-sources-'))
    try {
      expect(await readSources('memory', pathToFileURL(`${folder}/`))).to.deep.equal(NO_SOURCES)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('are what the build of the page says', async () => {
    const showcase = await openShowcase({}, 'memory', { files: new Map(), sources: NO_SOURCES })
    const store = new MemoryStore()
    const sessions = createSessions({ apps: [showcase.app], store })
    const server = createServer(express().use(showcaseRouter(sessions, showcase))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await supertest(url).get('/showcase/sources').expect(200, [])
      await supertest(url).get('/showcase/sources/0').expect(404)
    } finally {
      server.close()
      await once(server, 'close')
      await sessions.close()
      await showcase.close()
    }
  })
})
