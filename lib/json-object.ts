/** An object of JSON: fields by name, each of any type. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object that is not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
