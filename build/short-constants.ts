import { type Program, parseSync } from 'oxc-parser'

interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** A name in the code, and what to write in its place. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What minified code calls its local variables has less than this. */
const LEAST_LENGTH = 4

/**
 * Shortens the names of the constants at the top of minified code. Those of functions and classes stay: they
 * stand in stack traces.
 */
export function shortenConstants(code: string): string {
  const { program } = parseSync('index.cjs', code)
  const nodes = [...nodesIn(program)]
  const taken = new Set(nodes.flatMap(({ type, name }) => (type === 'Identifier' ? [String(name)] : [])))
  const shortNames = new Map<string, string>()
  let count = 0
  for (const name of constantsOf(program)) {
    let short = name
    while (taken.has(short)) short = `$${(count++).toString(36)}`
    shortNames.set(name, short)
  }
  const edits = nodes.flatMap((node) => editOf(node, shortNames) ?? [])
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: to }) => text.slice(0, start) + to + text.slice(end), code)
}

function constantsOf({ body }: Program): string[] {
  return body
    .flatMap((statement) => (statement.type === 'VariableDeclaration' ? statement.declarations : []))
    .flatMap(({ id, init }) => {
      const isNamedInTraces = /Function|Class/.test(init?.type ?? '')
      return id.type === 'Identifier' && !isNamedInTraces && id.name.length >= LEAST_LENGTH ? [id.name] : []
    })
}

/** Properties keep their names, which are no variables. */
function editOf(node: AstNode, shortNames: ReadonlyMap<string, string>): Edit | undefined {
  const short = node.type === 'Identifier' ? shortNames.get(String(node.name)) : undefined
  if (short === undefined) return undefined
  const text = node.isShorthand ? `${node.name}:${short}` : short
  return { start: node.start, end: node.end, text }
}

/** All nodes, with what an identifier is to the one around it. */
function* nodesIn(value: unknown): Generator<AstNode> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value && typeof value.type === 'string') yield value as AstNode
  const { type, computed, shorthand } = value as Record<string, unknown>
  for (const [field, inner] of Object.entries(value)) {
    const isKey = (field === 'property' && type === 'MemberExpression') || field === 'key'
    // A shorthand property has the same identifier twice: as its key and as its value.
    if (isKey && !computed) continue
    if (field === 'value' && shorthand) {
      for (const node of nodesIn(inner)) yield { ...node, isShorthand: node === inner }
    } else yield* nodesIn(inner)
  }
}
