import { type IncomingHttpHeaders, request } from 'node:http'

export interface Asked {
  method?: string
  body?: string | Buffer
  headers?: Record<string, string>
}

export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The fields of a JSON object; none when the text is something else. */
  json: Record<string, unknown>
}

/** One request over a connection of its own; rejects when the connection breaks before the answer is whole. */
export function ask(url: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: fieldsOf(text),
        })
      })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

/** A POST of fields as JSON. */
export function postJson(url: string, fields: object): Promise<Answered> {
  const headers = { 'content-type': 'application/json' }
  return ask(url, { method: 'POST', headers, body: JSON.stringify(fields) })
}

/** The `code` of the error that a promise rejects with. */
export async function errorCodeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}
