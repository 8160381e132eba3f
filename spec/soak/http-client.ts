import { Agent, request } from 'node:http'

/** Longer than every deadline of an app server: who waits that long is left hanging. */
const MOST_WAIT_MS = 15_000

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** What came back: a response with its JSON, or that there was none. */
export type Answer =
  | { readonly kind: 'response'; readonly status: number; readonly body: Record<string, unknown> }
  | { readonly kind: 'broken connection' }
  | { readonly kind: 'hang' }

/** Sends requests to one address over connections that are kept. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 64 })

  ask(url: string, { method, path, headers = {}, body }: Asked): Promise<Answer> {
    const text = body && JSON.stringify(body)
    return new Promise((resolve) => {
      const sent = request(`${url}${path}`, {
        method,
        agent: this.#agent,
        headers: { ...headers, ...(text !== undefined && { 'content-type': 'application/json' }) },
      })
      const patience = setTimeout(() => {
        resolve({ kind: 'hang' })
        sent.destroy()
      }, MOST_WAIT_MS)
      const settle = (answer: Answer) => {
        clearTimeout(patience)
        resolve(answer)
      }
      sent.on('error', () => settle({ kind: 'broken connection' }))
      sent.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => settle({ kind: 'broken connection' }))
        response.on('end', () => {
          const received = Buffer.concat(chunks).toString()
          settle({ kind: 'response', status: response.statusCode ?? 0, body: objectIn(received) })
        })
      })
      sent.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function objectIn(text: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { unreadable: text.slice(0, 200) }
  }
}
