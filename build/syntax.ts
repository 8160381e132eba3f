/** An identifier, or a name in quotes. */
export function nameOf(node: object): string {
  const { name, value } = node as { name?: string; value?: unknown }
  return name ?? String(value)
}

/** The names of variables, functions, classes and types in a node; no names of properties. */
export function* namesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { type, name, computed } = value as { type?: unknown; name?: unknown; computed?: unknown }
  if (type === 'Identifier') yield String(name)
  for (const [field, inner] of Object.entries(value)) {
    const isProperty =
      (field === 'property' && type === 'MemberExpression') || (field === 'key' && type !== undefined)
    if (!isProperty || computed) yield* namesIn(inner)
  }
}
