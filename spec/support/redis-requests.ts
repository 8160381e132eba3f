/** A command as a client sends it. */
export interface RedisRequest {
  readonly args: readonly string[]
  readonly raw: Buffer
}

/** Takes the requests out of what a client sends: each an array of bulk strings. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0)

  /** The requests that are complete with these bytes. */
  read(bytes: Buffer): RedisRequest[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const requests: RedisRequest[] = []
    for (;;) {
      const request = this.#next()
      if (!request) return requests
      this.#bytes = this.#bytes.subarray(request.raw.length)
      requests.push(request)
    }
  }

  #next(): RedisRequest | undefined {
    const head = this.#header('*', 0)
    if (!head) return undefined
    const args: string[] = []
    let at = head.end
    for (let count = 0; count < head.number; count += 1) {
      const length = this.#header('$', at)
      if (!length || this.#bytes.length < length.end + length.number + 2) return undefined
      at = length.end + length.number
      args.push(this.#bytes.toString('utf8', length.end, at))
      at += 2
    }
    return { args, raw: this.#bytes.subarray(0, at) }
  }

  /** A line of a sign and a number, once it is there. */
  #header(sign: string, at: number): { number: number; end: number } | undefined {
    const end = this.#bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const line = this.#bytes.toString('latin1', at, end)
    if (!line.startsWith(sign)) throw new Error(`the proxy expects ${sign} and a number, not ${line}`)
    return { number: Number(line.slice(1)), end: end + 2 }
  }
}
