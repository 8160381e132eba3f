const BLOCK_BYTES = 16

/** Encrypted data as a phone has it. */
export interface Sealed {
  readonly encryptedData: string
  readonly iv: string
}

/** A block of which the user knows what it says, though not the key. */
export interface KnownBlock {
  readonly bytes: Buffer
  /** The block before it, or the iv. */
  readonly previous: Buffer
  readonly text: Buffer
}

/** Blocks of one message, in their order. */
export type KnownMessage = readonly KnownBlock[]

/** A part of a forgery: blocks of a message as they are, but for the first one, which may be made to say something else. */
export interface Part {
  readonly message: KnownMessage
  readonly from: number
  /** Default: to the end. */
  readonly to?: number
  /** 16 bytes. Default: what the block says anyway. */
  readonly says?: string
}

/** What somebody knows of a message who knows its text. */
export function known({ encryptedData, iv }: Sealed, text: string): KnownMessage {
  const bytes = blocksOf(Buffer.from(encryptedData, 'base64'))
  const padding = BLOCK_BYTES - (Buffer.byteLength(text) % BLOCK_BYTES)
  const texts = blocksOf(Buffer.concat([Buffer.from(text), Buffer.alloc(padding, padding)]))
  return bytes.map((block, index) => ({
    bytes: block,
    previous: bytes[index - 1] ?? Buffer.from(iv, 'base64'),
    text: texts[index] ?? Buffer.alloc(BLOCK_BYTES),
  }))
}

/**
 * Joins parts to one message, without the key. In CBC a block says what the block before it makes it say; that one, the seam, says
 * what nobody can choose. Before the first part the iv takes its place, so that one has no seam.
 */
export function joined(parts: readonly Part[]): Sealed {
  const chunks = parts.flatMap(({ message, from, to, says }) => {
    const [first, ...rest] = message.slice(from, to)
    if (!first) throw new RangeError('a part has no block')
    return [seamTo(first, says), first.bytes, ...rest.map(({ bytes }) => bytes)]
  })
  const [iv = Buffer.alloc(0), ...bytes] = chunks
  return { encryptedData: Buffer.concat(bytes).toString('base64'), iv: iv.toString('base64') }
}

/** The indexes of the blocks that a text goes on in, where `isSplit` likes what is before the block and what begins with it. */
export function splitsOf(
  message: KnownMessage,
  isSplit: (before: string, after: string) => boolean,
): number[] {
  const text = Buffer.concat(message.map((block) => block.text))
  return message.flatMap((_block, index) => {
    const at = index * BLOCK_BYTES
    return index > 0 && isSplit(text.toString('latin1', 0, at), text.toString('latin1', at)) ? [index] : []
  })
}

function seamTo({ previous, text }: KnownBlock, says: string | undefined): Buffer {
  if (says === undefined) return previous
  const wanted = Buffer.from(says)
  if (wanted.length !== BLOCK_BYTES) throw new RangeError(`a block has ${BLOCK_BYTES} bytes`)
  return Buffer.from(previous.map((byte, index) => byte ^ (text[index] ?? 0) ^ (wanted[index] ?? 0)))
}

function blocksOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / BLOCK_BYTES }, (_, index) =>
    bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  )
}
