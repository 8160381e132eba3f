import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** What a proxy adds to a request that it forwards. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/** Whether an address leads to this machine and to no other one. */
export function isLoopback(address: string): boolean {
  const [bare = ''] = address.split('%')
  const version = isIP(bare)
  return version !== 0 && loopback.check(bare, version === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Whether a request comes from this machine and names it as its host. Any other name is refused, as a stranger's page may have a name
 * that leads to this machine (DNS rebinding).
 */
export function isFromHere({ socket, headers }: IncomingMessage): boolean {
  const isForwarded = PROXY_HEADERS.some((name) => headers[name] !== undefined)
  return isLoopback(socket.remoteAddress ?? '') && isNameOfHere(headers.host ?? '') && !isForwarded
}

function isNameOfHere(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return name === 'localhost' || isLoopback(name.replace(/^\[|\]$/g, ''))
}
