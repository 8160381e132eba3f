import type { ServerResponse } from 'node:http'

/** An HTTP answer before it is written: an object is sent as JSON, a string as it is. */
export interface Answer {
  status: number
  type: 'application/json' | 'text/html' | 'text/plain'
  body: Record<string, unknown> | string
  headers?: Record<string, string>
}

export function jsonAnswer(status: number, body: Record<string, unknown>): Answer {
  return { status, type: 'application/json', body }
}

/** What stands between the app and WeChat answers with a page, not with JSON. */
export function gatewayPage(status: number, title: string): Answer {
  const heading = `${status} ${title}`
  const body = `<html>\n<head><title>${heading}</title></head>\n<body><h1>${heading}</h1></body>\n</html>\n`
  return { status, type: 'text/html', body }
}

export function textOf(answer: Answer): string {
  return typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
}

/** Writes the head of an answer, announcing the full length of its body, and returns that body. */
export function startAnswer(response: ServerResponse, answer: Answer): Buffer {
  const body = Buffer.from(textOf(answer))
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-type': `${answer.type}; charset=utf-8`,
    'content-length': body.length,
  })
  return body
}

export function send(response: ServerResponse, answer: Answer): void {
  response.end(startAnswer(response, answer))
}
