/** What is known of a command: where its keys are. */
type KeyRule = 'has none' | 'has one' | 'has one first'

const commands: Readonly<Record<string, KeyRule>> = {
  TIME: 'has none',
  GET: 'has one',
  DEL: 'has one',
  SET: 'has one first',
}

const endOfCall: Readonly<Record<KeyRule, RegExp>> = {
  'has none': /^\)/,
  'has one': /^, KEYS\[(\d+)\]\)/,
  'has one first': /^, KEYS\[(\d+)\], /,
}

const beginOfCall = /^\.p?call\('([A-Z]+)'/

/**
 * What a strict proxy has against a script, as Alibaba Cloud documents it: a command in it has to be a literal, and each of its keys
 * a literal KEYS[number]. A key that was not given must be asked for first: `KEYS[2] and redis.call('GET', KEYS[2])`.
 */
export function faultIn(source: string, keyCount: number): string | undefined {
  for (const { index } of source.matchAll(/\bredis\b/g)) {
    const rest = source.slice(index + 'redis'.length)
    const [call = '', command = ''] = beginOfCall.exec(rest) ?? []
    const rule = commands[command]
    if (rule === undefined)
      return 'the first parameter of redis.call must be the literal name of a known command'
    const key = endOfCall[rule].exec(rest.slice(call.length))
    if (!key)
      return `each key of ${command} must be passed using the KEYS array, and KEYS must not be in an expression`
    const number = Number(key[1] ?? 0)
    const isAskedFor = source.slice(0, index).endsWith(`KEYS[${number}] and `)
    if (number > keyCount && !isAskedFor) return `${command} uses KEYS[${number}] of ${keyCount} keys`
  }
  return undefined
}
