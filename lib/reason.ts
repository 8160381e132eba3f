import { nameOf } from './stack-frames.js'

/** The name of a command, the only part of it that may be logged. */
const COMMAND = /^[a-z][a-z._|-]{0,30}$/i
/** Host names and addresses, which are not secrets. */
const HOST = /^[\w.:%-]{1,255}$/
const CODE = /^[A-Z][A-Z0-9_]{1,60}$/
/** Replies in which Redis names the command. */
const COMMANDS_IN_REPLIES = [
  /unknown (?:redis )?command [`'"]?([\w|.-]+)[`'",]/i,
  /no permissions to run the '([\w|.-]+)' command/i,
]
/** Constant phrases of Redis that help the operator. */
const PHRASES = [
  'DB index is out of range',
  'invalid DB index',
  'SELECT is not allowed in cluster mode',
  "The user executing the script can't run this command",
  "The user executing the script can't access at least one of the keys",
  'no permissions to access a key',
  'no permissions to access one of the keys',
  'max number of clients reached',
  'Unknown Redis command called from script',
]
/** The same of ioredis, in errors that have no code. */
const PHRASES_OF_THE_CLIENT = [
  'All sentinels are unreachable',
  'Command timed out',
  'Connection is closed',
  'Failed to refresh slots cache',
  'None of startup nodes is available',
  'Socket timeout',
  "Stream isn't writeable",
  'Too many Cluster redirections',
]
/** The first words of error replies, for minified clients, whose errors have lost their name. */
const REPLY =
  /^(?:ASK|BUSY|CLUSTERDOWN|CROSSSLOT|ERR|EXECABORT|LOADING|MASTERDOWN|MISCONF|MOVED|NOAUTH|NOPERM|NOREPLICAS|NOSCRIPT|OOM|READONLY|TRYAGAIN|UNKILLABLE|WRONGPASS|WRONGTYPE)\b/
const MOST_CAUSES = 3

/**
 * Returns why something failed, for the operator's log: the kind of error, its errno, host and port, or the
 * first word of Redis's reply and the command. Nothing else of an error is logged: it may hold a password or
 * the data to be written.
 */
export function reasonOf(error: unknown, depth = 1): string {
  try {
    return error instanceof Error ? reasonOfError(error, depth) : 'unknown reason'
  } catch {
    // A getter of an error may throw, too.
    return 'unknown reason'
  }
}

function reasonOfError(error: Error, depth: number): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  const why = first ?? Object(error).lastNodeError ?? error.cause
  const [name, details] = [nameOf(error), detailsOf(error).join(' ')]
  const reason = details ? `${name} (${details})` : name
  return why instanceof Error && depth < MOST_CAUSES ? `${reason}: ${reasonOf(why, depth + 1)}` : reason
}

type ErrorPlace = Readonly<Partial<Record<'hostname' | 'host' | 'address' | 'port', unknown>>>

/** Whether an error is what Redis, or a proxy, has replied with. */
export function isReply(error: Error): boolean {
  return error.name === 'ReplyError' || REPLY.test(error.message)
}

function detailsOf(error: Error): string[] {
  if (isReply(error)) return detailsOfReply(error)
  const { code, syscall, hostname, host, address, port } = error as NodeJS.ErrnoException & ErrorPlace
  const where = [hostname, address, host].find(isHost)
  const place = where && Number.isInteger(port) ? `${where}:${port}` : where
  const words = [syscall, code].filter((word): word is string => typeof word === 'string')
  const phrase = PHRASES_OF_THE_CLIENT.find((each) => error.message.startsWith(each))
  const known = words.filter((word) => COMMAND.test(word) || CODE.test(word))
  return [...known, place, phrase].filter((part) => part !== undefined)
}

function detailsOfReply(error: Error): string[] {
  const { message } = error
  const word = /^[A-Z]+\b/.exec(message)?.[0]
  const phrase = PHRASES.find((each) => message.includes(each))
  const named = COMMANDS_IN_REPLIES.map((pattern) => pattern.exec(message)?.[1]).find(Boolean)
  const sent: unknown = Object(Object(error).command).name
  const command = named ?? (typeof sent === 'string' && COMMAND.test(sent) ? sent : undefined)
  return [word, phrase, command && `in ${command}`].filter((part) => part !== undefined)
}

function isHost(name: unknown): name is string {
  return typeof name === 'string' && HOST.test(name)
}
