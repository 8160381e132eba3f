import express from 'express'
import express4 from 'express4'
import type { Peer } from './peer.js'

/** The route alone, without a session: what is subtracted from all others. */
function bare(name: Peer['express'], create: typeof express): Peer {
  return {
    packages: [],
    express: name,
    async open() {
      const app = create()
      app.get('/me', (_req, res) => {
        res.json({ openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' })
      })
      return { listener: app, logIn: async (users) => users.map(() => ({})) }
    },
  }
}

export const bareExpress5 = bare('express', express)
export const bareExpress4 = bare('express4', express4)
