import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** A host in front, nobody's name before it: other parsers than ours would read the rest differently. */
const WEB_ADDRESS = /^https?:\/\/[^\s\\/@?#]+(?:[/?#][^\s\\]*)?$/i
/** What runs, or leads somewhere else on every page, and what other parsers than ours take for an address. */
const LEADS_ASTRAY =
  /^(?:[\\/]{2}\S|(?:javascript|vbscript|view-source|blob|filesystem|https?):\S|data:\S*,|(?:file|ftp|wss?):[\\/])/i
/** `wxfile://tmp_1.png`, `http://tmp/1.png`, and those of DevTools and browsers. */
const ON_PHONE =
  /^(?:[a-z]*file:\/\/|https?:\/\/(?:tmp|usr|store|resource)(?:[/?#]|$)|https?:\/\/[^/?#]+\/__(?:tmp|usr|store)__\/|blob:\S)/i
/** Names with a dot, and nothing empty between two of them. */
const WHOLE_NAME = /^(?:[^.]+\.)+[^.]+\.?$/
/** Names that lead nowhere from outside (RFC 6761, 6762, 7686, 8375, 9476, and common use). */
const PRIVATE_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|consul|arpa|onion|alt|test|invalid)\.?$/
/** Where clouds serve credentials to their servers. */
const CLOUD_NAME = /^metadata(?:\.|$)/

type Network = readonly [network: string, prefix: number]

/** Of this machine and its network: good while developing. */
const PRIVATE_IPV4: readonly Network[] = [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
]
const PRIVATE_IPV6: readonly Network[] = [
  ['::1', 128],
  ['fc00::', 7],
]
/** Addresses that belong to a link, to a cloud, to documents, or to nobody (RFC 6890). */
const NOBODYS_IPV4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
/** No other IPv6 address is assigned; the second list is of special use within it. */
const GLOBAL_IPV6: readonly Network[] = [['2000::', 3]]
const NOBODYS_IPV6: readonly Network[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const privateAddresses = blockListOf(PRIVATE_IPV4, PRIVATE_IPV6)
const nobodysAddresses = blockListOf(NOBODYS_IPV4, NOBODYS_IPV6)
const globalIPv6 = blockListOf([], GLOBAL_IPV6)

/** Whether a text is an http or https address with a host, and without a user name or password. */
export function isAddress(text: string): boolean {
  return WEB_ADDRESS.test(text) && URL.canParse(text)
}

/** Whether a text is the path of a file on the phone, temporary as a rule, which nobody else can open. */
export function isOnPhone(text: string): boolean {
  return ON_PHONE.test(text)
}

/** Whether a page that takes a text for an address would run it, or be led somewhere by it. */
export function leadsAstray(text: string): boolean {
  return LEADS_ASTRAY.test(text)
}

/** Whether the host of an address is public by its name, or private where that is allowed. */
export function isReachable(address: string, allowPrivate: boolean): boolean {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '')
  if (isIPv4(host)) return !nobodysAddresses.check(host) && (allowPrivate || !privateAddresses.check(host))
  if (isIPv6(host)) {
    if (privateAddresses.check(host, 'ipv6')) return allowPrivate
    return globalIPv6.check(host, 'ipv6') && !nobodysAddresses.check(host, 'ipv6')
  }
  if (CLOUD_NAME.test(host)) return false
  return allowPrivate || (WHOLE_NAME.test(host) && !PRIVATE_NAME.test(host))
}

function blockListOf(ipv4: readonly Network[], ipv6: readonly Network[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of ipv4) list.addSubnet(network, prefix, 'ipv4')
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6')
  return list
}
