/** What an option must be, as a phrase that completes "must be …", and the test for it. */
export type OptionCheck = readonly [mustBe: string, holds: (value: unknown) => boolean]

/** One check for every option: forgetting one does not compile. */
export type OptionChecks<Options> = { readonly [Name in keyof Required<Options>]: OptionCheck }

/** Throws a TypeError for the first option which is unknown or wrong. `undefined` counts as absent. */
export function checkOptions<Options extends object>(
  caller: string,
  options: Options,
  checks: OptionChecks<Options>,
): void {
  if (!isObject(options)) throw new TypeError(`${caller}: the options must be an object.`)
  const known: ReadonlyMap<string, OptionCheck> = new Map(Object.entries<OptionCheck>(checks))
  for (const [name, value] of Object.entries(options)) {
    const check = known.get(name)
    if (!check) {
      throw new TypeError(
        `${caller}: unknown option "${name}". The options are ${[...known.keys()].join(', ')}.`,
      )
    }
    const [mustBe, holds] = check
    if (value !== undefined && !holds(value)) throw new TypeError(`${caller}: "${name}" must be ${mustBe}.`)
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
