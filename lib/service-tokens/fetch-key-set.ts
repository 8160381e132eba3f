import { isUtf8 } from 'node:buffer'
import * as http from 'node:http'
import * as https from 'node:https'
import { reasonOf } from '../reason.js'
import { type KeySet, KeySetFailure, readKeySet } from './key-set.js'

const MOST_BYTES = 64 * 1024

/** Returns the keys of an issuer as they are now. Its errors say why not, in words that may be logged. */
export type FetchKeySet = () => Promise<KeySet>

interface KeySetAddress {
  readonly uri: URL
  /** The deadline from the connection to the last byte, in milliseconds. */
  readonly timeoutMs: number
  readonly agent?: http.Agent | undefined
}

/** A redirect is not followed: it would lead where nobody has configured it to lead. */
export function createFetchKeySet({ uri, timeoutMs, agent }: KeySetAddress): FetchKeySet {
  const { request } = uri.protocol === 'https:' ? https : http
  const headers = { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' }

  return async function fetchKeySet() {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return readKeySet(await body())
    } catch (error) {
      throw new Error(signal.aborted ? `no answer within ${timeoutMs} ms` : wordsOf(error))
    }

    function body(): Promise<string> {
      return new Promise((resolve, reject) => {
        const outgoing = request(uri, { headers, signal, ...(agent && { agent }) })
        outgoing.on('error', reject)
        // Node tells of it only when an Agent has found a connection, or a proxy has opened its tunnel.
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        // Node reports a 101 in no other way.
        outgoing.on('upgrade', (_incoming, socket) => {
          socket.destroy()
          reject(new KeySetFailure('HTTP status 101'))
        })
        outgoing.on('response', (incoming) => textOf(incoming).then(resolve, reject))
        outgoing.end()
      })
    }
  }
}

async function textOf(incoming: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    if (incoming.statusCode !== 200) throw new KeySetFailure(`HTTP status ${incoming.statusCode}`)
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MOST_BYTES) throw new KeySetFailure(`more than ${MOST_BYTES} bytes`)
      chunks.push(chunk)
    }
  } finally {
    incoming.destroy()
  }
  const bytes = Buffer.concat(chunks)
  if (!isUtf8(bytes)) throw new KeySetFailure('it is not UTF-8')
  return bytes.toString()
}

/** Our own words as they are; of others only what gives nothing away: an Agent may name its password. */
function wordsOf(error: unknown): string {
  return error instanceof KeySetFailure ? error.message : reasonOf(error)
}
