import type { LookupFunction } from 'node:net'

/** Node looks up so many names at once, with the four threads that it has by default. */
const AT_ONCE = 2
const LOOPBACK = { address: '127.0.0.1', family: 4 }

/**
 * `dns.lookup` with the threads that it has in Node, and a name for which DNS gives no reply until `reply`:
 * then the lookups that wait fail, and those that begin later find this machine.
 */
export function limitedLookup(lookUp: object, silentName: string | undefined) {
  const queue: (() => void)[] = []
  const silent = new Set<() => void>()
  let running = 0
  let isSilent = true

  function begin(): void {
    while (running < AT_ONCE && queue.length > 0) {
      running += 1
      queue.shift()?.()
    }
  }

  const lookup: LookupFunction = (name, options, callback) => {
    // `server.listen` has no options.
    if (typeof options === 'function') return (lookUp as LookupFunction)(name, options, callback)
    const end: typeof callback = (...result) => {
      running -= 1
      begin()
      callback(...result)
    }
    queue.push(() => {
      if (name !== silentName) (lookUp as LookupFunction)(name, options, end)
      else if (isSilent) silent.add(() => end(new Error('getaddrinfo EAI_AGAIN'), ''))
      else if (options.all) end(null, [LOOPBACK])
      else end(null, LOOPBACK.address, LOOPBACK.family)
    })
    begin()
  }

  return {
    lookup,
    reply(): void {
      isSilent = false
      for (const fail of silent) fail()
      silent.clear()
    },
  }
}
