import express, { type Request, type Response } from 'express'
import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import { checkShape } from './body-shape.js'

const MOST_BYTES = 64 * 1024
/** How long a body may take to arrive, in milliseconds. */
export const BODY_TIMEOUT_MS = 20_000

/* Mini-programs have sent JSON as text and as form for years, so every content type is read as JSON. */
const parseJson = express.json({ limit: MOST_BYTES, strict: false, type: () => true })

/**
 * The JSON body of a request, or the one that a parser before has left. Throws `ERR_BODY_INVALID`, `ERR_BODY_TOO_LARGE` and
 * `ERR_BODY_TIMEOUT`.
 */
export async function readJsonBody(
  req: Request,
  res: Response,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<unknown> {
  // Express 4 fails at reading again what a parser of another make has read, or what a sender who is gone has begun.
  if (req.readable) await withinDeadline(parsed(req, res), timeoutMs, () => giveUp(res))
  checkShape(req.body, MOST_BYTES)
  return isEmpty(req) ? undefined : req.body
}

function parsed(req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    // Of a compressed body whose sender goes away the parser says nothing.
    const onClose = () => {
      if (!req.complete) reject(new WeappError('ERR_BODY_INVALID', 'The body broke off.'))
    }
    req.once('close', onClose)
    parseJson(req, res, (error?: unknown) => {
      req.off('close', onClose)
      if (error === undefined) resolve()
      else reject(bodyError(error))
    })
  })
}

/** What is still to come would be taken for the next request, so the connection ends with the answer. */
function giveUp(res: Response): WeappError {
  res.set('Connection', 'close')
  return new WeappError('ERR_BODY_TIMEOUT', 'The body took too long to arrive. Send it again.')
}

/** Parsers make an empty object of no body at all. */
function isEmpty(req: Request): boolean {
  const hasBytes = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0
  return !hasBytes && Object.keys(req.body ?? {}).length === 0
}

function bodyError(error: unknown): unknown {
  const status = (error as { status?: unknown }).status
  if (status === 413) return new WeappError('ERR_BODY_TOO_LARGE', 'The body is larger than 64 KB.')
  if (typeof status !== 'number' || status >= 500) return error
  return new WeappError('ERR_BODY_INVALID', 'The body could not be read as JSON.')
}
