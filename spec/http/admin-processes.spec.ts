import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createSessions, RedisStore, requireSession, type Sessions } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'
import { type AdminBed, openAdminBed } from './admin-bed.js'

const SECRETS = ['the newest secret, of 32 characters', 'the older secret, of 32 characters.'] as const

describe('what an operator does in one process, seen by another on the same Redis', () => {
  const [own, another] = [aRedisClient(), aRedisClient()]
  let bed: AdminBed
  let other: Sessions
  let elsewhere: ReturnType<typeof supertest>

  beforeEach(async () => {
    const prefix = freshPrefix()
    bed = await openAdminBed({ store: new RedisStore(own(), { prefix }), keys: [SECRETS[0], SECRETS[1]] })
    const { apps, url } = bed.sandbox
    // As during a deployment: the other one does not know the newest secret yet.
    other = createSessions({
      apps: apps.map(({ appid, secret }) => ({ appid, secret })),
      store: new RedisStore(another(), { prefix }),
      keys: [SECRETS[1]],
      wechat: { baseUrl: url },
    })
    const app = express().get('/me', requireSession({ sessions: other }), (_req, res) => res.json({}))
    elsewhere = supertest(app)
  })
  afterEach(async () => {
    await other.close()
    await bed.close()
  })

  async function logInThere(): Promise<{ token: string; id: string }> {
    const { code } = await bed.phone.wx.login()
    const { token, session } = await other.login({ code, device: 'Pixel 7' })
    return { token, id: session.sessionId }
  }
  const meThere = (token: string) => elsewhere.get('/me').set('x-3rd-session', token)

  it('finds and ends a session under an older secret by its id, at once', async () => {
    const { token, id } = await logInThere()
    await meThere(token).expect(200)
    const { body } = await bed.ask('get', `/sessions/${id}`).expect(200)
    expect(body).to.include({ id, ...bed.user(), device: 'Pixel 7' })
    await bed.ask('delete', `/sessions/${id}`).expect(204)
    expectProblem(await meThere(token), 401, 'ERR_SESSION_UNKNOWN')
  })

  for (const [what, path, body] of [
    ['all sessions of a user', '/users/revoke', undefined],
    ['all traces of a user', '/users/forget', undefined],
    ['all sessions of an app', '/apps/revoke', { appid: 'wx1111111111111111' }],
    ['all sessions of everybody', '/everybody/revoke', { everybody: true }],
  ] as const) {
    it(`ends ${what} under every secret, at once`, async () => {
      const { token } = await logInThere()
      const here = await bed.logIn()
      expect((await bed.ask('post', path, body ?? bed.user())).status).to.be.within(200, 204)
      await bed.me(here).expect(401)
      expectProblem(await meThere(token), 401, 'ERR_SESSION_UNKNOWN')
    })
  }
})
