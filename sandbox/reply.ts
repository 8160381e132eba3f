import type { ServerResponse } from 'node:http'

/** A response before it is written: an object is sent as JSON, a string as it is. */
export interface Reply {
  status: number
  type: 'application/json' | 'text/html' | 'text/plain'
  body: Record<string, unknown> | string
  headers?: Record<string, string>
}

export function jsonReply(status: number, body: Record<string, unknown>): Reply {
  return { status, type: 'application/json', body }
}

/** A page from a gateway between the app and WeChat. */
export function gatewayPage(status: number, title: string): Reply {
  const heading = `${status} ${title}`
  const body = `<html>\n<head><title>${heading}</title></head>\n<body><h1>${heading}</h1></body>\n</html>\n`
  return { status, type: 'text/html', body }
}

export function bodyText({ body }: Reply): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Writes the head, with the full length of the body, and returns the body. */
export function writeHead(response: ServerResponse, reply: Reply): Buffer {
  const body = Buffer.from(bodyText(reply))
  response.writeHead(reply.status, {
    ...reply.headers,
    'content-type': `${reply.type}; charset=utf-8`,
    'content-length': body.length,
  })
  return body
}

export function send(response: ServerResponse, reply: Reply): void {
  response.end(writeHead(response, reply))
}
