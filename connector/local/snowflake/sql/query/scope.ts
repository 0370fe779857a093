// Which columns a name may mean, and how the query engine is told of them.
import { SqlError } from '../../errors.ts'
import type { SqlType, Typed } from './sql-types.ts'

export interface ScopeColumn {
  readonly name: string
  readonly sql: string
  readonly type: SqlType
}

/** One table, subquery or table function of FROM. */
export interface Source {
  /** What qualifies its columns: the alias, or the table's names. */
  readonly names: readonly string[]
  readonly columns: readonly ScopeColumn[]
  /** Columns that a join with USING has merged into another's: only found when qualified. */
  readonly hidden: ReadonlySet<string>
}

const invalid = (name: string): SqlError =>
  new SqlError('000904', '42000', `SQL compilation error:\ninvalid identifier '${name}'`)

/** The names that a SELECT sees; what it does not know it looks for in the query around it. */
export class Scope {
  readonly #outer: Scope | undefined
  sources: readonly Source[] = []
  /** Aliases of the SELECT list, once they are known. */
  readonly aliases = new Map<string, Typed>()

  constructor(outer: Scope | undefined) {
    this.#outer = outer
  }

  /** A column by its name, with or without what qualifies it; undefined when there is none. */
  find(parts: readonly string[]): ScopeColumn | undefined {
    const name = parts.at(-1) ?? ''
    const qualifier = parts.slice(0, -1)
    const found = this.sources
      .filter((source) => qualifier.length === 0 || isCalled(source, qualifier))
      .flatMap((source) =>
        source.columns.filter(
          (column) => column.name === name && (qualifier.length > 0 || !source.hidden.has(name)),
        ),
      )
    if (found.length > 1)
      throw new SqlError(
        '000904',
        '42000',
        `SQL compilation error:\nambiguous column name '${parts.join('.')}'`,
      )
    return found[0]
  }

  /** A column here or in the queries around. */
  resolve(parts: readonly string[]): Typed | undefined {
    return this.find(parts) ?? this.#outer?.resolve(parts)
  }

  /** The sources that a qualified star means; all without one. */
  starSources(qualifier: readonly string[]): readonly Source[] {
    const found =
      qualifier.length === 0
        ? this.sources
        : this.sources.filter((source) => isCalled(source, qualifier))
    if (found.length === 0) throw invalid(`${qualifier.join('.')}.*`)
    return found
  }
}

const isCalled = ({ names }: Source, qualifier: readonly string[]): boolean =>
  qualifier.length <= names.length &&
  qualifier.every((part, index) => part === names[names.length - qualifier.length + index])

export const invalidIdentifier = invalid
