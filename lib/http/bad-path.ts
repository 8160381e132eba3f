import type { ErrorRequestHandler } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol } from '../protocols/protocol.js'
import { sendError } from './wire.js'

/** Returns an error handler for paths of which Express could not decode a part, such as `%zz`. */
export function handleBadPath(words: Pick<Protocol, 'writeError'>): ErrorRequestHandler {
  return (error, _req, res, next) => sendError(isUndecodable(error) ? badPath() : error, words, res, next)
}

function isUndecodable(error: unknown): boolean {
  return error instanceof URIError && (error as { status?: unknown }).status === 400
}

function badPath(): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', 'The path cannot be decoded.')
}
