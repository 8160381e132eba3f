import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'

/** Handles requests that no route has handled. */
export const notFoundHandler: RequestHandler = (_req, res) => {
  res.status(404).json({ error: 'There is nothing here.' })
}

/**
 * The last error handler. Express's own sends stack traces outside production. The response has the text of
 * the status only, as the message of an error may repeat what was sent. Bugs go to the log.
 */
export const errorHandler: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const status = clientStatusOf(error) ?? 500
  if (status === 500) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  res.status(status).json({ error: STATUS_CODES[status] })
}

function clientStatusOf(error: unknown): number | undefined {
  const { status } = Object(error) as { status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}
