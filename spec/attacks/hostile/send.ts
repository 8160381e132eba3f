import { connect, type Socket } from 'node:net'
import {
  type AnyRequest,
  APPID,
  CODE,
  type Framing,
  OPENID,
  PHONE_CODE,
  SERVICE_TOKEN,
  SESSION_ID,
  TOKEN,
} from './any-request.js'

/** Only a server that hangs needs so long. */
const PATIENCE_MS = 15_000
/** With these of a client's own choice, nobody can tell where a request ends, or whether there is an answer. */
const OF_THE_CONNECTION = ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect']

/** What is valid at the moment. */
export interface Valid {
  readonly token: string
  readonly code: string
  readonly phoneCode: string
  readonly serviceToken: string
  readonly sessionId: string
  readonly appid: string
  readonly openid: string
}

export interface Answer {
  /** Undefined when the connection was closed without an answer. */
  readonly status: number | undefined
  readonly text: string
  /** Whether the client sent what it announced, and waited for the answer. */
  readonly isWhole: boolean
}

/** Writes the bytes of a request onto a connection of its own, as no HTTP client would. */
export async function sendTo(port: number, request: AnyRequest, valid: Valid): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const answered = textOn(socket)
  const isWhole =
    (request.framing === 'right' || request.framing === 'chunked') &&
    request.method !== 'CONNECT' &&
    !request.headers.some(([name]) => OF_THE_CONNECTION.includes(name))
  const bytes = bytesOf(request, valid)
  if (isWhole) socket.write(bytes)
  else socket.end(bytes)
  // What comes before the answer says only that the body is awaited.
  const text = (await answered).replace(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)+/, '')
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? []
  return { status: status === undefined ? undefined : Number(status), text, isWhole }
}

function bytesOf({ method, path, headers, body, framing }: AnyRequest, valid: Valid): Buffer {
  const filledIn = (text: string) =>
    Object.entries({
      [TOKEN]: valid.token,
      [CODE]: valid.code,
      [PHONE_CODE]: valid.phoneCode,
      [SERVICE_TOKEN]: valid.serviceToken,
      [SESSION_ID]: valid.sessionId,
      [APPID]: valid.appid,
      [OPENID]: valid.openid,
    }).reduce((filled, [place, value]) => filled.replaceAll(place, value), text)
  const payload = Buffer.from(typeof body === 'string' ? filledIn(body) : body)
  const lines = headers.map(([name, value]) => `${name}: ${filledIn(value).replaceAll(/[\r\n\0]/g, '')}`)
  const [framed, sent] = frame(framing, payload)
  const head = [
    `${method} ${filledIn(path)} HTTP/1.1`,
    'Host: a',
    'Connection: close',
    ...framed,
    ...lines,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), sent])
}

function frame(framing: Framing, body: Buffer): [headers: string[], body: Buffer] {
  const size = body.length
  const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), body, Buffer.from('\r\n')])
  const chunks = Buffer.concat([...(size > 0 ? [chunk] : []), Buffer.from('0\r\n\r\n')])
  switch (framing) {
    case 'right':
      return [[`Content-Length: ${size}`], body]
    case 'chunked':
      return [['Transfer-Encoding: chunked'], chunks]
    case 'torn chunk':
      return [['Transfer-Encoding: chunked'], chunks.subarray(0, -4)]
    case 'too long':
      return [[`Content-Length: ${size + 7}`], body]
    case 'too short':
      return [[`Content-Length: ${Math.floor(size / 2)}`], body]
    case 'both':
      return [[`Content-Length: ${size}`, 'Transfer-Encoding: chunked'], chunks]
    case 'no number':
      return [['Content-Length: -1e3'], body]
    case 'none':
      return [[], body]
  }
}

async function textOn(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => undefined)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}
