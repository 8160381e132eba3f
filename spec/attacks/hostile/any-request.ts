import { gzipSync } from 'node:zlib'
import fc from 'fast-check'

/** Places that are filled in when a request is sent: what is valid changes with each run. */
export const TOKEN = '<token>'
export const CODE = '<code>'
export const PHONE_CODE = '<phone code>'
export const SERVICE_TOKEN = '<service token>'
export const SESSION_ID = '<session id>'
export const APPID = '<appid>'
export const OPENID = '<openid>'

/** A method and a path of a router, such as `DELETE /sessions/:id`. */
export interface Route {
  readonly method: string
  readonly path: string
}

/** How the end of the body is told. */
export type Framing = (typeof FRAMINGS)[number]

export interface AnyRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array | string
  readonly framing: Framing
}

const FRAMINGS = [
  'right',
  'chunked',
  'torn chunk',
  'too long',
  'too short',
  'both',
  'no number',
  'none',
] as const
const METHODS = 'GET POST PUT DELETE PATCH OPTIONS HEAD PROPFIND TRACE CONNECT get AB{C'.split(' ')
const ENDS = [
  '',
  '/',
  '//',
  '/..',
  '/%2e%2e%2f',
  '/%zz',
  '/%00',
  '%',
  '?',
  '?x[__proto__][y]=1',
  '?token=a&token=b',
  ';x=1',
]
const HEADERS = [
  'x-3rd-session authorization x-own-token x-wx-code x-wx-id x-wx-skey x-wx-encrypted-data x-wx-iv',
  'user-agent content-type content-encoding content-length transfer-encoding expect connection upgrade',
  'cookie host x-forwarded-for x-forwarded-host x-http-method-override range if-none-match accept',
  'accept-encoding __proto__ constructor toString origin referer x-operator',
].flatMap((line) => line.split(' '))
const FIELDS = [
  'code appid nonce encryptedData encrypt_data iv rawData signature userInfo app_id session_id id skey',
  'interface interfaceName para data openid token constructor toString __proto__ toJSON length',
  'phoneCode device audience everybody',
].flatMap((line) => line.split(' '))
const INTERFACES = ['qcloud.cam.id_skey', 'qcloud.cam.auth', 'qcloud.cam.decrypt', 'qcloud.cam.initdata']
const TYPES = [
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
]
const ODD_TEXTS = [
  ...[TOKEN, `Bearer ${TOKEN}`, `${TOKEN}${TOKEN}`, TOKEN.slice(1), CODE, PHONE_CODE, 'Bearer', 'Bearer  '],
  ...['', ' ', '0', '-1', '1e999', 'null', 'undefined', '[object Object]', 'the code is a mock one'],
  ...['a'.repeat(64), 'f'.repeat(64), 'A'.repeat(24), '_'.repeat(20), 'x'.repeat(5000), '../../etc/passwd'],
  ...['AAAAAAAAAAAAAAAAAAAAAA==', 'A'.repeat(64), '{}', '{"a":1}', '"', '\\u0000', 'gzip', 'br', 'chunked'],
  ...['text/plain; charset=utf-16', 'application/json; charset=', '100-continue', '99999999999999999999'],
  ...[
    SERVICE_TOKEN,
    `Bearer ${SERVICE_TOKEN}`,
    `Bearer ${SERVICE_TOKEN}x`,
    SESSION_ID,
    APPID,
    OPENID,
    'orders',
  ],
]

const oddText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.base64String({ maxLength: 200 }),
  // A half of a character, which UTF-8 cannot hold.
  fc.constantFrom('\ud800', 'a\udfff', '\ud83d\ude00', '\u202e\u0000\ufeff'),
)

/** Nearly a JWT. */
const oddJwt = fc
  .tuple(
    fc.record(
      {
        alg: fc.constantFrom('ES256', 'HS256', 'none', 'constructor', '', 7),
        typ: fc.constantFrom('weapp-session+jwt', 'JWT', '__proto__', null),
        kid: fc.oneof(oddText, fc.jsonValue()),
        crit: fc.constantFrom([], ['b64'], 'exp'),
        jku: fc.constant('http://127.0.0.1:1/keys'),
      },
      { requiredKeys: [] },
    ),
    fc.oneof(fc.jsonValue(), fc.constant({ iss: 'https://app.example.com', aud: 'orders', exp: 1e308 })),
    oddText,
  )
  .map(([header, claims, signature]) => `Bearer ${inBase64(header)}.${inBase64(claims)}.${signature}`)

function inBase64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A value of JSON where another one is expected. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: oddText },
  fc.constantFrom(null, true, 0, -0, 1e308, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]], { toString: 1 }),
  fc.jsonValue({ maxDepth: 4 }),
  fc.record({ nickName: oddText, avatarUrl: oddText, gender: fc.jsonValue() }, { requiredKeys: [] }),
)

const fields = fc.uniqueArray(fc.tuple(fc.constantFrom(...FIELDS), oddValue), {
  maxLength: 6,
  selector: ([name]) => name,
})

/** Written by hand: an object would keep neither `__proto__` nor a name that comes twice. */
function written(pairs: readonly (readonly [string, unknown])[]): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`
}

const waferCall = fc
  .tuple(fc.constantFrom(...INTERFACES), fields)
  .map(([name, para]) => `{"interface":{"interfaceName":"${name}","para":${written(para)}}}`)

const likelyBody = fc.oneof(
  fc.constantFrom(
    written([['code', CODE]]),
    written([['code', PHONE_CODE]]),
    written([['phoneCode', PHONE_CODE]]),
    written([['audience', 'orders']]),
    written([['everybody', true]]),
    written([['appid', APPID]]),
    written([
      ['appid', APPID],
      ['openid', OPENID],
    ]),
  ),
  fc.tuple(fields).map(([pairs]) => written([['code', CODE], ...pairs])),
  fc.tuple(fields, fields).map(([one, other]) => written([...one, ...other, ...one])),
  waferCall,
)

const oddBody: fc.Arbitrary<Uint8Array | string> = fc.oneof(
  fc.constantFrom('', 'null', '[]', '"text"', '{', '{"code":', '\ufeff{}', '{"a":1}{"b":2}', 'code=a&code=b'),
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 5, max: 20_000 }).map((depth) => '{"a":'.repeat(depth)),
  fc.integer({ min: 5, max: 9_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  fc.integer({ min: 60_000, max: 140_000 }).map((size) => written([['code', 'x'.repeat(size)]])),
  fc.integer({ min: 1, max: 60_000 }).map((count) => `[${'0,'.repeat(count)}0]`),
  fc.tuple(likelyBody, fc.nat(40)).map(([text, cut]) => gzipSync(text).subarray(0, -cut || undefined)),
  fc.constant(gzipSync(Buffer.alloc(2 ** 20, 32))),
)

const headers = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constantFrom(...HEADERS), oddText) },
    fc.tuple(fc.constant('authorization'), oddJwt),
  ),
  { maxLength: 5 },
)

function pathOf(route: Route, segment: string, end: string): string {
  const filled =
    segment === SESSION_ID ? segment : encodeURIComponent(segment.replaceAll(/\p{Cs}/gu, '\ufffd'))
  return route.path.replace(/:\w+/, () => filled) + end
}

/** A request to one of the routes as no honest client would send it; some are nearly right. */
export function anyRequest(routes: readonly Route[]): fc.Arbitrary<AnyRequest> {
  const often = (text: string, odd: fc.Arbitrary<string>, weight = 6) =>
    fc.oneof({ weight, arbitrary: fc.constant(text) }, odd)
  const withToken = fc.constantFrom(
    [],
    [['x-3rd-session', TOKEN]],
    [['authorization', `Bearer ${TOKEN}`]],
    [['authorization', `Bearer ${SERVICE_TOKEN}`]],
    [
      ['x-operator', 'ada'],
      ['content-type', 'application/json'],
    ],
  )
  const ofType = fc.constantFrom([], ...TYPES.map((type) => [['content-type', type]]), [
    ['content-encoding', 'gzip'],
  ])
  const framing = fc.oneof(
    { weight: 8, arbitrary: fc.constant('right' as const) },
    fc.constantFrom(...FRAMINGS),
  )
  return fc.constantFrom(...routes).chain((route) =>
    fc.record({
      method: often(route.method, fc.constantFrom(...METHODS)),
      path: fc
        .tuple(
          fc.oneof(fc.constant(SESSION_ID), oddText),
          often('', fc.constantFrom(...ENDS, `/${'x'.repeat(9000)}`)),
        )
        .map(([segment, end]) => pathOf(route, segment, end)),
      headers: fc.tuple(withToken, ofType, headers).map((lists) => lists.flat() as [string, string][]),
      body: fc.oneof({ weight: 3, arbitrary: likelyBody }, oddBody),
      framing,
    }),
  )
}
