import { type SourceFile, targetOf } from './source-tree.js'

/** The public symbols of a barrel that have no doc comment, as `file: name`. Follows re-exports to the declaration. */
export function undocumentedSymbols(barrel: SourceFile, files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  return publicSymbols(barrel, byPath)
    .filter(({ file, name }) => !isDocumented(file, name))
    .map(({ file, name }) => `${file.path}: ${name}`)
}

interface PublicSymbol {
  readonly file: SourceFile
  readonly name: string
}

function publicSymbols(file: SourceFile, byPath: ReadonlyMap<string, SourceFile>): PublicSymbol[] {
  return file.exports.flatMap(({ moduleRequest, importName, exportName }) => {
    if (!moduleRequest) return exportName.name === null ? [] : [{ file, name: exportName.name }]
    const target = byPath.get(targetOf(file.path, moduleRequest.value) ?? '')
    if (!target)
      throw new Error(`${file.path} exports from ${moduleRequest.value}, which is not a file of ours`)
    const all = publicSymbols(target, byPath)
    return importName.name === null ? all : all.filter(({ name }) => name === importName.name)
  })
}

function isDocumented(file: SourceFile, name: string): boolean {
  const entry = file.exports.find(({ exportName }) => exportName.name === name)
  const statement = file.program.body.find(
    ({ start, end }) => entry && start <= entry.start && entry.end <= end,
  )
  if (!statement) return false
  return file.comments.some(
    ({ type, value, end }) =>
      type === 'Block' &&
      value.startsWith('*') &&
      end <= statement.start &&
      file.source.slice(end, statement.start).trim() === '',
  )
}
