import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** A host in front, nobody's name before it: other parsers than ours would read the rest differently. */
const WEB_ADDRESS = /^https?:\/\/[^\s\\/@?#]+(?:[/?#][^\s\\]*)?$/i
/** What runs, is no address, or leads somewhere else on every page. */
const LEADS_ASTRAY =
  /^(?:\/\/|\\\\|(?:javascript|vbscript|data|file|blob|filesystem|about|view-source|ftp|wss?):)/i
/** Names with a dot, and nothing empty between two of them. */
const WHOLE_NAME = /^(?:[^.]+\.)+[^.]+\.?$/
/** Names that lead nowhere from outside (RFC 6761, 6762, 7686, 8375, 9476, and common use), and where clouds tell their secrets. */
const PRIVATE_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|consul|arpa|onion|alt|test|invalid|metadata\.tencentyun\.com)\.?$/

type Network = readonly [network: string, prefix: number]

/** Addresses that belong to this machine, its network or its cloud, to documents, or to nobody (RFC 6890). */
const NOT_PUBLIC_IPV4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
/** Of IPv6 nothing else is given out, and of that the second list stands for something else, or for an IPv4 address. */
const PUBLIC_IPV6: readonly Network[] = [['2000::', 3]]
const NOT_PUBLIC_IPV6: readonly Network[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const notPublicIPv4 = blockListOf(NOT_PUBLIC_IPV4, 'ipv4')
const publicIPv6 = blockListOf(PUBLIC_IPV6, 'ipv6')
const notPublicIPv6 = blockListOf(NOT_PUBLIC_IPV6, 'ipv6')

/** Whether a text is an http or https address with a host, and without a user name or password. */
export function isAddress(text: string): boolean {
  return WEB_ADDRESS.test(text) && URL.canParse(text)
}

/** Whether a page that takes a text for an address would run it, or be led somewhere by it. */
export function leadsAstray(text: string): boolean {
  return LEADS_ASTRAY.test(text)
}

/** Whether the host of an address is one that everybody may reach, as far as its name tells. */
export function isPublicAddress(address: string): boolean {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '')
  if (isIPv4(host)) return !notPublicIPv4.check(host, 'ipv4')
  if (isIPv6(host)) return publicIPv6.check(host, 'ipv6') && !notPublicIPv6.check(host, 'ipv6')
  return WHOLE_NAME.test(host) && !PRIVATE_NAME.test(host)
}

function blockListOf(networks: readonly Network[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family)
  return list
}
