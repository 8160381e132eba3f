import { BlockList, isIP } from 'node:net'

const WEB_ADDRESS = /^https?:\/\/[^\s\\]+$/i
/** Names that lead nowhere from outside (RFC 6761, 6762, 9476), and names without a dot. */
const PRIVATE_NAME = /^[^.]*$|(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa|test|invalid)\.?$/

/** Addresses that belong to this machine, its network or its cloud (RFC 6890), and those that belong to nobody. */
const PRIVATE: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 9, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

const privateAddresses = new BlockList()
for (const [network, prefix, family] of PRIVATE) privateAddresses.addSubnet(network, prefix, family)

/** Whether a text is an http or https address with a host, and without a user name or password. */
export function isAddress(text: string): boolean {
  if (!WEB_ADDRESS.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

/** Whether the host of an address is one that everybody may reach, as far as its name tells. */
export function isPublicAddress(address: string): boolean {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '')
  const version = isIP(host)
  if (version === 0) return !PRIVATE_NAME.test(host)
  return !privateAddresses.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
