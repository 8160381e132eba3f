import { expect } from 'chai'
import { describe, it } from 'mocha'
import { reasonOf } from '../lib/reason.js'

const SECRET = 'hunter2'

function failure(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), fields, { name })
}

function unreadable(field: string): Error {
  const get = () => {
    throw new Error(SECRET)
  }
  return Object.freeze(Object.defineProperty(new Error(SECRET), field, { get }))
}

function reply(message: string, command?: string): Error {
  return failure(
    'ReplyError',
    message,
    command === undefined ? {} : { command: { name: command, args: [SECRET] } },
  )
}

const net = { code: 'ECONNREFUSED', syscall: 'connect', address: '10.0.0.1', port: 6379 }
const refused = failure('Error', `connect ECONNREFUSED redis://:${SECRET}@10.0.0.1`, net)

const REASONS: [string, unknown, string][] = [
  ['a refused connection', refused, 'Error (connect ECONNREFUSED 10.0.0.1:6379)'],
  [
    'a name that nobody knows',
    failure('Error', SECRET, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'redis.example' }),
    'Error (getaddrinfo ENOTFOUND redis.example)',
  ],
  [
    'a self-signed certificate',
    failure('Error', SECRET, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    'Error (DEPTH_ZERO_SELF_SIGNED_CERT)',
  ],
  [
    'a certificate of another host',
    failure('Error', SECRET, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'redis.example' }),
    'Error (ERR_TLS_CERT_ALTNAME_INVALID redis.example)',
  ],
  [
    'both addresses of a host',
    new AggregateError([refused, refused], SECRET),
    'AggregateError: Error (connect ECONNREFUSED 10.0.0.1:6379)',
  ],
  [
    'what is behind it',
    failure('MaxRetriesPerRequestError', SECRET, { cause: refused }),
    'MaxRetriesPerRequestError: Error (connect ECONNREFUSED 10.0.0.1:6379)',
  ],
  [
    'what a node of a cluster said',
    failure('ClusterAllFailedError', SECRET, { lastNodeError: reply('NOAUTH Authentication required.') }),
    'ClusterAllFailedError: ReplyError (NOAUTH)',
  ],
  [
    'a timeout of the client',
    failure('MaxRetriesPerRequestError', SECRET, { cause: new Error(`Socket timeout. Expecting ${SECRET}`) }),
    'MaxRetriesPerRequestError: Error (Socket timeout)',
  ],
  [
    'a full memory',
    reply(`OOM command not allowed: SET key ${SECRET}`, 'evalsha'),
    'ReplyError (OOM in evalsha)',
  ],
  [
    'a command that was renamed',
    reply(`ERR unknown command 'EVALSHA', with args beginning with: '${SECRET}'`, 'evalsha'),
    'ReplyError (ERR in EVALSHA)',
  ],
  [
    'a command that is not allowed',
    reply(`NOPERM this user has no permissions to run the 'evalsha' command`),
    'ReplyError (NOPERM in evalsha)',
  ],
  [
    'a key that is not allowed',
    reply('NOPERM No permissions to access a key', 'evalsha'),
    'ReplyError (NOPERM in evalsha)',
  ],
  [
    'an answer of Redis to a client that was minified',
    failure('a', `READONLY You can't write against a read only replica. ${SECRET}`),
    'a (READONLY)',
  ],
  [
    'Sentinels that are away',
    failure('Error', `All sentinels are unreachable. Retrying. Last error: ${SECRET}`),
    'Error (All sentinels are unreachable)',
  ],
  ['a connection that is closed', failure('Error', 'Connection is closed.'), 'Error (Connection is closed)'],
  [
    'a socket on which nothing comes',
    failure('Error', `Socket timeout. Expecting data, but didn't receive any in 2000ms.`),
    'Error (Socket timeout)',
  ],
  ['a code that is none', failure('Error', SECRET, { code: `${SECRET} x`, port: SECRET }), 'Error'],
  ['a host that is an address with a password', failure('Error', '', { host: `:${SECRET}@x` }), 'Error'],
  ['a command that is none', reply('ERR x', `${SECRET} x`), 'ReplyError (ERR)'],
  ['a name that is none', failure(`${SECRET}\nError`, ''), 'Error'],
  ['no error', { code: 'ECONNREFUSED' }, 'unknown reason'],
  ['nothing', undefined, 'unknown reason'],
  ['an error that cannot be read', unreadable('code'), 'unknown reason'],
  [
    'a cause that cannot be read',
    failure('Error', '', { cause: unreadable('name') }),
    'Error: unknown reason',
  ],
]

describe('reasonOf', () => {
  for (const [what, error, reason] of REASONS) {
    it(`names ${what}, and no secret`, () => {
      expect(reasonOf(error)).to.equal(reason)
    })
  }

  it('comes to an end where errors are the cause of each other', () => {
    const [one, other] = [failure('One', ''), failure('Other', '')]
    one.cause = other
    other.cause = one
    expect(reasonOf(one)).to.equal('One: Other: One')
  })
})
