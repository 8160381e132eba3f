import type { SessionsScope } from '../flows/scope.js'
import type { Sessions } from '../flows/sessions.js'
import { booleanOption, type OptionNames, objectWithMethods, textOption } from '../options.js'
import { nativeProtocol } from '../protocols/native.js'
import type { Protocol } from '../protocols/protocol.js'
import { defaultSessions } from './default-sessions.js'

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i

/** The options that `loginRouter` and `requireSession` share. */
export interface MountOptions {
  /**
   * The sessions to work with. A class of yours has to pass on all arguments of `authenticate`: without its
   * options, sensitive actions ask for nothing. Default: {@link defaultSessions}, from the environment.
   */
  sessions?: Sessions
  /** The header that carries the token, for the native protocol. Default `x-3rd-session`. */
  header?: string
  /** Whether `Authorization: Bearer` is read as well, for the native protocol. Default true. */
  bearer?: boolean
  /** The wire protocol of the clients. Default: the native one. */
  protocol?: Protocol
  /** The AppID of the only app that may log in here and whose sessions are valid here. Default: all apps. */
  appid?: string
}

export const MOUNT_OPTION_NAMES: OptionNames<MountOptions> = {
  sessions: true,
  header: true,
  bearer: true,
  protocol: true,
  appid: true,
}

/**
 * Fills in the defaults, and narrows the sessions to the app of the mount and to `scope`. Throws a
 * `TypeError` for a wrong option, and for `header` or `bearer` together with a protocol, which has its own.
 */
export function readMountOptions(
  where: string,
  options: MountOptions,
  scope: Omit<SessionsScope, 'appid'> = {},
): { sessions: Sessions; protocol: Protocol } {
  const { bearer = true } = options
  for (const name of ['header', 'bearer'] as const) {
    if (options[name] !== undefined && options.protocol !== undefined) {
      throw new TypeError(
        `${where}: ${name} belongs to the native protocol; leave it out where protocol is given`,
      )
    }
  }
  if (options.header !== undefined && !HEADER_NAME.test(textOption(`${where}: header`, options.header))) {
    throw new TypeError(`${where}: header must be the name of an HTTP header, such as x-3rd-session`)
  }
  booleanOption(`${where}: bearer`, bearer)
  const protocol = options.protocol ?? nativeProtocol(options.header, { bearer })
  objectWithMethods(
    `${where}: protocol`,
    protocol,
    ['readToken', 'writeError'],
    'a Protocol such as nativeProtocol()',
  )
  const sessions = options.sessions ?? defaultSessions()
  objectWithMethods(
    `${where}: sessions`,
    sessions,
    ['login', 'authenticate'],
    'what createSessions() returns',
  )
  const appid = options.appid === undefined ? undefined : textOption(`${where}: appid`, options.appid)
  return { sessions: narrowed(where, sessions, { ...scope, appid }), protocol }
}

/** Your own `Sessions` need `with` only where there is something to narrow. */
function narrowed(where: string, sessions: Sessions, scope: SessionsScope): Sessions {
  if (Object.values(scope).every((value) => value === undefined)) return sessions
  objectWithMethods(`${where}: sessions`, sessions, ['with'], 'what createSessions() returns')
  try {
    return sessions.with(scope)
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(error.message.replace(/^with(?=: )/, where)) : error
  }
}
