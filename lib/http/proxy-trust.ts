import type { IncomingMessage } from 'node:http'

type HostRequest = IncomingMessage & { readonly app?: { get?(setting: string): unknown } }

/**
 * Returns what is wrong with how the addresses of clients are found, for the log: it makes the limit of
 * logins either one for all, or none. See docs/production.md.
 */
export function proxyFault(req: HostRequest): string | undefined {
  const trust = req.app?.get?.('trust proxy')
  if (trust === true) {
    return 'trust proxy is true, so that every client can choose its address by X-Forwarded-For, and escape the limit of logins: set it to the number of proxies or to their addresses'
  }
  if (req.headers['x-forwarded-for'] === undefined || (trust !== undefined && trust !== false))
    return undefined
  return 'a login came with X-Forwarded-For, which is not read as trust proxy is not set: behind a proxy, all clients share one limit of logins. Without a proxy, a client has made it up'
}
