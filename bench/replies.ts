/** What a child process can be asked, by name. */
export type Handlers = Readonly<Record<string, (request: never) => unknown>>

export interface ChildRequest {
  readonly id: number
  readonly name: string
  readonly request: unknown
}

export interface ChildReply {
  readonly id: number
  readonly reply?: unknown
  readonly failure?: string
}

/** Replies to what the parent process asks. The child ends when its parent does. */
export function replyToParent(handlers: Handlers): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, name, request }: ChildRequest) => {
    try {
      const handler = handlers[name]
      if (!handler) throw new Error(`nothing replies to ${name}`)
      send({ id, reply: await handler(request as never) })
    } catch (error) {
      send({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
}

function send(reply: ChildReply): void {
  process.send?.(reply)
}
