/** What an option must be, as a phrase that completes "must be …", and the test for it. */
export type OptionCheck = readonly [mustBe: string, holds: (value: unknown) => boolean]

/** One check for every option: forgetting one does not compile. */
export type OptionChecks<Options> = { readonly [Name in keyof Required<Options>]: OptionCheck }

/** Throws a TypeError for the first option that is unknown or wrong. `undefined` counts as absent. */
export function checkOptions<Options extends object>(
  caller: string,
  options: Options,
  checks: OptionChecks<Options>,
): void {
  if (!isObject(options)) throw new TypeError(`${caller}: the options must be an object`)
  const known: ReadonlyMap<string, OptionCheck> = new Map(Object.entries<OptionCheck>(checks))
  for (const [name, value] of Object.entries(options)) {
    const check = known.get(name)
    if (!check) {
      throw new TypeError(`${caller}: unknown option "${name}"; known: ${[...known.keys()].join(', ')}`)
    }
    const [mustBe, holds] = check
    if (value !== undefined && !holds(value)) throw new TypeError(`${caller}: "${name}" must be ${mustBe}`)
  }
}

const MAX_NAME_LENGTH = 128

export const nameCheck: OptionCheck = [
  `a string of 1 to ${MAX_NAME_LENGTH} characters`,
  (name) => isText(name) && name.length <= MAX_NAME_LENGTH,
]

export const booleanCheck: OptionCheck = ['true or false', (value) => typeof value === 'boolean']

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
