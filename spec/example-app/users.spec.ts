import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { LoginEvent, UserInfo } from 'weapp-session'
import { createMemoryUsers } from '../../example-app/memory-users.js'
import { openUsers, type UserTable } from '../../example-app/users.js'

const ADA: UserInfo = { nickName: 'Ada', avatarUrl: 'https://example.com/a.png', verified: true }

const login = (event: Partial<LoginEvent> = {}): LoginEvent => ({
  appid: 'wx1',
  openid: 'o-1',
  unionid: undefined,
  seenBefore: false,
  userInfo: undefined,
  ...event,
})

/** The row of the user whom these logins are of. */
const rowOf = (users: UserTable, who: Partial<LoginEvent> = {}) => users.of({ ...login(who), userInfo: null })

for (const [place, open] of [
  ['SQL', () => openUsers(':memory:')],
  ['memory', createMemoryUsers],
] as const) {
  describe(`the users of the example app, in ${place}`, () => {
    let users: UserTable

    beforeEach(() => {
      users = open()
    })
    afterEach(() => users.close())

    it('get a row at their first login', () => {
      users.onLogin(login({ userInfo: ADA }))
      const row = { id: 1, nick_name: 'Ada', avatar_url: 'https://example.com/a.png', logins: 1 }
      expect(rowOf(users)).to.deep.equal(row)
    })

    it('keep their row at later logins, which are counted', () => {
      users.onLogin(login())
      for (let n = 2; n <= 4; n++) users.onLogin(login({ seenBefore: true }))
      expect(rowOf(users)).to.include({ id: 1, logins: 4 })
    })

    it('are one row for each openid of each app', () => {
      const events = [login(), login({ openid: 'o-2' }), login({ appid: 'wx2' })]
      for (const event of events) users.onLogin(event)
      expect(events.map((event) => rowOf(users, event).logins)).to.deep.equal([1, 1, 1])
      expect(new Set(events.map((event) => rowOf(users, event).id)).size).to.equal(3)
    })

    it('keep their names at a login without any, and take new ones', () => {
      users.onLogin(login({ userInfo: ADA }))
      users.onLogin(login())
      expect(rowOf(users)).to.include({ nick_name: 'Ada', avatar_url: ADA.avatarUrl })
      users.onLogin(login({ userInfo: { nickName: 'Grace', verified: false } }))
      expect(rowOf(users)).to.include({ nick_name: 'Grace', avatar_url: ADA.avatarUrl, logins: 3 })
    })

    it('have their profile updated, and deleted, without a login', () => {
      users.onLogin(login())
      users.onLogin(login({ openid: 'o-2' }))
      users.onUserInfo({ appid: 'wx1', openid: 'o-1', userInfo: ADA })
      expect(rowOf(users)).to.include({ nick_name: 'Ada', avatar_url: ADA.avatarUrl, logins: 1 })
      expect(rowOf(users, { openid: 'o-2' })).to.include({ nick_name: null, avatar_url: null })
      users.onUserInfo({ appid: 'wx1', openid: 'o-1', userInfo: null })
      expect(rowOf(users)).to.include({ nick_name: null, avatar_url: null, logins: 1 })
    })

    it('may be called anything: no name is taken for SQL, and what is no text is no name', () => {
      const nickName = `'); DROP TABLE users; --`
      users.onLogin(login({ userInfo: { nickName, avatarUrl: 42 as unknown as string, verified: false } }))
      expect(rowOf(users)).to.include({ nick_name: nickName, avatar_url: null })
    })

    it('are found by who they are, and get a row anew where it is lost, never the row of another', () => {
      users.onLogin(login({ userInfo: ADA }))
      const found = users.of({ appid: 'wx1', openid: 'o-1', userInfo: null })
      expect(found).to.include({ nick_name: 'Ada', logins: 1 })
      for (const who of [
        { appid: 'wx1', openid: 'o-2' },
        { appid: 'wx2', openid: 'o-1' },
      ]) {
        const made = users.of({ ...who, userInfo: { nickName: 'Grace', verified: false } })
        expect(made).to.include({ nick_name: 'Grace', avatar_url: null, logins: 0 })
        expect(made.id).not.to.equal(found.id)
        expect(users.of({ ...who, userInfo: null })).to.deep.equal(made)
        users.onLogin(login(who))
        expect(rowOf(users, who)).to.deep.equal({ ...made, logins: 1 })
      }
    })

    it('get no row from a profile alone', () => {
      users.onUserInfo({ appid: 'wx1', openid: 'o-1', userInfo: ADA })
      expect(rowOf(users)).to.include({ nick_name: null, logins: 0 })
    })
  })
}

describe('a file of users', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weapp-session-users-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('keeps its rows over close and reopen', () => {
    const file = join(directory, 'users.sqlite')
    const first = openUsers(file)
    first.onLogin(login({ userInfo: ADA }))
    first.close()
    const second = openUsers(file)
    expect(rowOf(second)).to.include({ nick_name: 'Ada', logins: 1 })
    second.onLogin(login({ seenBefore: true }))
    expect(rowOf(second)).to.include({ nick_name: 'Ada', logins: 2 })
    second.close()
  })

  it('is named, with what is wrong, when it cannot be used', () => {
    const nowhere = join(directory, 'missing', 'users')
    expect(() => openUsers(nowhere)).to.throw(TypeError, `DATABASE ${nowhere}: Could not open the database`)
    const noTable = join(directory, 'text')
    writeFileSync(noTable, 'not a table')
    expect(() => openUsers(noTable)).to.throw(TypeError, /^DATABASE \S+: file is not a database$/)
  })

  it('says which lock to remove when a process has left one behind', () => {
    const file = join(directory, 'users.sqlite')
    openUsers(file).close()
    mkdirSync(`${file}.lock`)
    const words = `DATABASE ${file}: database is locked; remove the folder ${file}.lock if no other process`
    expect(() => openUsers(file, 0)).to.throw(TypeError, words)
  })

  it('is a file of its own for each name', () => {
    const [one, two] = [openUsers(join(directory, 'one')), openUsers(join(directory, 'two'))]
    one.onLogin(login())
    expect(rowOf(two).logins).to.equal(0)
    one.close()
    two.close()
  })
})
