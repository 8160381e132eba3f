import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import supertest from 'supertest'
import {
  type RequireServiceTokenOptions,
  requireServiceToken,
  type ServiceTokensOptions,
  serviceTokens,
} from '../../lib/index.js'
import { openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'
import { keyPair } from './forge.js'

export const ISSUER = 'https://app.example.com'
export const AUDIENCE = 'orders'

type Agent = ReturnType<typeof supertest>

/** A back end that issues tokens, and what it takes to make services that accept them. */
export interface TokenBed extends TestBed {
  /** Makes the router of another deployment of the back end, as it is after a restart with other options. */
  issuer(options?: Partial<ServiceTokensOptions>): Agent
  /** Makes a service. It answers with what the guard has put on the request. */
  service(options?: Partial<RequireServiceTokenOptions>): Express
  /** Asks an issuer for a token. */
  tokenFrom(issuer: Agent, session: string, body?: object): Promise<string>
}

export async function openTokenBed(options: TestBedOptions = {}): Promise<TokenBed> {
  const bed = await openTestBed(options)
  const { sessions, clock } = bed
  const write = (line: string) => void bed.log.push(line)
  const common = { issuer: ISSUER, clock, logger: { warn: write, error: write } }
  return {
    ...bed,
    issuer: (own) =>
      supertest(
        express().use(
          serviceTokens({ sessions, audiences: [AUDIENCE], keys: [keyPair()], ...common, ...own }),
        ),
      ),
    service: (own) =>
      express()
        .use(requireServiceToken({ audience: AUDIENCE, ...common, ...own }))
        .use((req, res) => {
          res.json({ serviceToken: req.serviceToken ?? null, openid: req.openid ?? null })
        }),
    async tokenFrom(issuer, session, body) {
      const asked = issuer.post('/token').set('x-3rd-session', session)
      const res = await (body ? asked.send(body) : asked)
      if (res.status !== 200) throw new Error(`${res.status} ${res.text}`)
      return (res.body as { token: string }).token
    },
  }
}

/** A server whose answer a test sets, counting the requests. */
export interface KeyServer {
  readonly url: string
  requests: number
  answer: Parameters<typeof createServer>[1]
  close(): Promise<void>
}

export async function startKeyServer(): Promise<KeyServer> {
  const server = createServer({ maxHeaderSize: 256 * 1024 }, (req, res) => {
    served.requests += 1
    served.answer?.(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const served: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    requests: 0,
    answer: (_req, res) => void res.end('{"keys":[]}'),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return served
}
