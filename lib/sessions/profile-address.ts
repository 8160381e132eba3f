import { BlockList, isIPv4 } from 'node:net'

/** With a host and without a user name: parsers disagree about the rest. */
const WEB_ADDRESS = /^https?:\/\/[^\s\\/@?#]+(?:[/?#][^\s\\]*)?$/i
/** What a page would run or follow, and what other parsers take for an address. */
const LEADS_ASTRAY =
  /^(?:[\\/]{2}\S|(?:javascript|vbscript|view-source|blob|filesystem|https?):\S|data:\S*,|(?:file|ftp|wss?):[\\/])/i
/** Of WeChat and similar apps (`wxfile://tmp_1.png`, `http://tmp/1.png`), of DevTools and of browsers. */
const ON_PHONE =
  /^(?:[a-z]*file:\/\/|https?:\/\/(?:tmp|usr|store|resource)(?:[/?#]|$)|https?:\/\/[^/?#]+\/__(?:tmp|usr|store)__\/|blob:\S)/i
/** Names with a dot and no empty label. */
const WHOLE_NAME = /^(?:[^.]+\.)+[^.]+\.?$/
/** Names that do not resolve publicly (RFC 6761, 6762, 7686, 8375, 9476, and common use). */
const PRIVATE_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|consul|arpa|onion|alt|test|invalid)\.?$/
/** Hosts of cloud metadata, where servers read their secrets. */
const CLOUD_NAME = /^metadata(?:\.|$)/

/** This machine and its network: allowed for development. */
// biome-ignore format: a list
const privateNetworks = networks([
  '10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7',
])
/** Networks for links, clouds, documentation or special purposes (RFC 6890). */
// biome-ignore format: a list
const specialNetworks = networks([
  '0.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24',
  '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20',
])
/** All of IPv6 that is assigned for global use. */
const globalIPv6 = networks(['2000::/3'])

/** Whether a text is an http or https URL with a host, and without a user name or password. */
export function isAddress(text: string): boolean {
  return WEB_ADDRESS.test(text) && URL.canParse(text)
}

/** Whether a text is the path of a file on the phone, which no other device can open. */
export function isOnPhone(text: string): boolean {
  return ON_PHONE.test(text)
}

/** Whether a page that takes a text for a URL would run it or follow it. */
export function leadsAstray(text: string): boolean {
  return LEADS_ASTRAY.test(text)
}

/** Whether the host of a URL looks public, or with `allowPrivate` belongs to this network. */
export function isReachable(address: string, allowPrivate: boolean): boolean {
  const { hostname } = new URL(address)
  const isIPv6 = hostname.startsWith('[')
  const host = isIPv6 ? hostname.slice(1, -1) : hostname
  if (isIPv4(host)) return !specialNetworks.check(host) && (allowPrivate || !privateNetworks.check(host))
  if (isIPv6) {
    if (privateNetworks.check(host, 'ipv6')) return allowPrivate
    return globalIPv6.check(host, 'ipv6') && !specialNetworks.check(host, 'ipv6')
  }
  if (CLOUD_NAME.test(host)) return false
  return allowPrivate || (WHOLE_NAME.test(host) && !PRIVATE_NAME.test(host))
}

function networks(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/')
    list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
