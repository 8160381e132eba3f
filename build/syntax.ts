/** Returns the name of an identifier, or the value of a string literal used as a name. */
export function nameOf(node: object): string {
  const { name, value } = node as { name?: string; value?: unknown }
  return name ?? String(value)
}

/** Yields the names of variables, functions, classes and types in a node, but not those of properties. */
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
