// What a compiled query is to the query around it.
import type { Source } from './scope.ts'
import type { SqlType } from './sql-types.ts'

export interface OutputColumn {
  readonly name: string
  readonly type: SqlType
}

/** A query as text; its columns are called c1, c2, … there. */
export interface CompiledQuery {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
}

/** What a compiled query calls its columns. */
export const internal = (index: number): string => `c${index + 1}`

/** A subquery's columns as a source of FROM. */
export function source(
  alias: string,
  columns: readonly OutputColumn[],
  names: readonly string[],
): Source {
  return {
    names,
    columns: columns.map(({ name, type }, index) => ({
      name,
      type,
      sql: `${alias}.${internal(index)}`,
    })),
    hidden: new Set(),
  }
}
