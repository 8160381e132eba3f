import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'

/** Answers what no route has taken. */
export const answerUnknownRoute: RequestHandler = (_req, res) => {
  res.status(404).json({ error: 'There is nothing here.' })
}

/**
 * The last error handler. Express' own shows stacks and paths, unless it runs in production. The mistake of a client is told by its
 * status alone, as a message may repeat what was sent; a bug is told to the operator only.
 */
export const answerFailure: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const status = clientStatusOf(error) ?? 500
  if (status === 500) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  res.status(status).json({ error: STATUS_CODES[status] })
}

function clientStatusOf(error: unknown): number | undefined {
  const { status } = Object(error) as { status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}
