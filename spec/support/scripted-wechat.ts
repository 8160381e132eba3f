import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

const SESSION_KEY = Buffer.alloc(16, 'k').toString('base64')
const CONTENT_LENGTH = /^content-length: (\d+)/im

export const LOGIN = '/sns/jscode2session'
export const STABLE_TOKEN = '/cgi-bin/stable_token'
export const PHONE_NUMBER = '/wxa/business/getuserphonenumber'

/** What arrived. */
export interface Asked {
  readonly path: string
  /** Undefined where only an access token tells. */
  readonly appid: string | undefined
  /** Of a login or of a phone number. */
  readonly code: string | undefined
}

/** Writes a response, or does worse. */
export type Behaviour = (socket: Socket, asked: Asked) => void

/** A WeChat that does byte by byte what a test says, and counts what arrives. */
export interface ScriptedWechat {
  readonly port: number
  /** All requests, in order. */
  readonly asked: Asked[]
  /** What it does from now on. */
  behave: Behaviour
  /** How many connections are open. */
  readonly connections: number
  count(path: string): number
  close(): Promise<void>
}

export async function startScriptedWechat(): Promise<ScriptedWechat> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes
      for (let end = endOfRequest(received); end !== undefined; end = endOfRequest(received)) {
        const asked = askedIn(received.slice(0, end))
        received = received.slice(end)
        wechat.asked.push(asked)
        wechat.behave(socket, asked)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const wechat: ScriptedWechat = {
    port: (server.address() as AddressInfo).port,
    asked: [],
    behave: answer,
    get connections() {
      return sockets.size
    },
    count: (path) => wechat.asked.filter((each) => each.path === path).length,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
  return wechat
}

/** Answers as WeChat does. */
export const answer: Behaviour = (socket, asked) => {
  socket.write(response(bodyFor(asked)))
}

export function bodyFor({ path, code }: Asked): string {
  if (path === STABLE_TOKEN) return JSON.stringify({ access_token: 'token', expires_in: 7200 })
  if (path === PHONE_NUMBER)
    return JSON.stringify({ errcode: 0, phone_info: { phoneNumber: '13800000000', countryCode: '86' } })
  return JSON.stringify({ openid: `o${code}`, session_key: SESSION_KEY })
}

/** A response with its length, and other headers where there are any. */
export function response(body: string | Buffer, status = '200 OK', headers = ''): Buffer {
  const head = `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(body)])
}

/** Where the first request ends; undefined while it has not. */
function endOfRequest(received: string): number | undefined {
  const endOfHead = received.indexOf('\r\n\r\n')
  if (endOfHead < 0) return undefined
  const [, length = 0] = CONTENT_LENGTH.exec(received.slice(0, endOfHead)) ?? []
  const end = endOfHead + 4 + Number(length)
  return received.length < end ? undefined : end
}

function askedIn(request: string): Asked {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const { pathname: path, searchParams } = new URL(head.split(' ')[1] ?? '', 'http://wechat')
  const fields = body === '' ? {} : (JSON.parse(body) as { appid?: string; code?: string })
  return {
    path,
    appid: searchParams.get('appid') ?? fields.appid,
    code: searchParams.get('js_code') ?? fields.code,
  }
}
