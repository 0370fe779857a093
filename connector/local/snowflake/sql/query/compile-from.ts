// FROM in the query engine's words: tables at a point in time, views, subqueries, FLATTEN, joins.
import { syntaxError, unsupported } from '../../errors.ts'
import { sqlName } from '../tokens.ts'
import type { FromItem, TimeTravel } from './ast.ts'
import { cast } from './casts.ts'
import { comparable, compile, type Environment } from './compile-expression.ts'
import type { QueryCompiler } from './compile-query.ts'
import { type CompiledQuery, type OutputColumn, source } from './compiled.ts'
import { compileFlatten, generate } from './flatten.ts'
import { never } from './never.ts'
import { Scope, type ScopeColumn, type Source } from './scope.ts'
import { BOOLEAN } from './sql-types.ts'

/** A table or view as FROM needs it. */
export interface CatalogTable {
  /** What goes after FROM: a name, or a query in parentheses. */
  readonly sql: string
  /** Columns with their names in `sql`. */
  readonly columns: readonly (OutputColumn & { readonly sqlName: string })[]
  readonly names: readonly string[]
}

export interface CatalogView {
  /** @throws SqlError 002003 */
  readonly table: (parts: readonly string[], travel: TimeTravel | undefined) => CatalogTable
  /** Table functions other than FLATTEN, e.g. ERROR_TABLE; undefined when there is no such function. */
  readonly tableFunction: (name: string, args: readonly string[]) => CompiledQuery | undefined
}

interface Surroundings {
  readonly scope: Scope
  readonly env: Environment
  readonly tables: ReadonlyMap<
    string,
    { readonly name: string; readonly columns: readonly OutputColumn[] }
  >
  readonly compiler: QueryCompiler
  readonly outer: Scope | undefined
  /** The number of the row on the left, for a FLATTEN on the right. */
  readonly rowNumber?: string
}

/** The text after FROM; what the sources offer goes into the scope. */
export function compileFrom(item: FromItem, around: Surroundings): string {
  switch (item.kind) {
    case 'join':
      return join(item, around)
    case 'table':
      return table(item, around)
    case 'query':
      return subquery(item, around)
    case 'values': {
      const compiled = around.compiler.values(item.rows, around.outer, around.tables)
      return add(compiled, item, around)
    }
    case 'function':
      return tableFunction(item, around)
    default:
      return never(item)
  }
}

interface Aliased {
  readonly alias: string | undefined
  readonly columnAliases: readonly string[]
}

function add(
  compiled: CompiledQuery,
  item: Aliased,
  around: Surroundings,
  lateral = false,
): string {
  const alias = around.compiler.freshName()
  addSource(
    around,
    source(
      alias,
      rename(compiled.columns, item.columnAliases),
      item.alias === undefined ? [] : [item.alias],
    ),
  )
  return `${lateral ? 'LATERAL ' : ''}(${compiled.sql}) AS ${alias}`
}

function rename(
  columns: readonly OutputColumn[],
  names: readonly string[],
): readonly OutputColumn[] {
  if (names.length > columns.length)
    throw syntaxError(`${columns.length} columns, but ${names.length} names for them`)
  return columns.map(({ name, type }, index) => ({ name: names[index] ?? name, type }))
}

function addSource({ scope }: Surroundings, added: Source): void {
  scope.sources = [...scope.sources, added]
}

function table(item: Extract<FromItem, { kind: 'table' }>, around: Surroundings): string {
  const [only = ''] = item.parts
  const common = item.parts.length === 1 ? around.tables.get(only) : undefined
  const alias = around.compiler.freshName()
  if (common !== undefined) {
    if (item.travel !== undefined) throw unsupported('time travel of a common table expression')
    addSource(
      around,
      source(alias, rename(common.columns, item.columnAliases), [item.alias ?? only]),
    )
    return `${common.name} AS ${alias}`
  }
  const found = around.compiler.catalog.table(item.parts, item.travel)
  if (item.columnAliases.length > found.columns.length) rename(found.columns, item.columnAliases)
  addSource(around, {
    names: item.alias === undefined ? found.names : [item.alias],
    columns: found.columns.map(({ name, type, sqlName: own }, index) => ({
      name: item.columnAliases[index] ?? name,
      type,
      sql: `${alias}.${sqlName(own)}`,
    })),
    hidden: new Set(),
  })
  return `${found.sql} AS ${alias}`
}

function subquery(item: Extract<FromItem, { kind: 'query' }>, around: Surroundings): string {
  // A lateral query sees what stands left of it.
  const compiled = around.compiler.query(
    item.query,
    item.lateral ? around.scope : around.outer,
    around.tables,
  )
  return add(compiled, item, around, item.lateral)
}

function tableFunction(
  item: Extract<FromItem, { kind: 'function' }>,
  around: Surroundings,
): string {
  const { call } = item
  if (call.name === 'FLATTEN') return add(compileFlatten(call, around), item, around, true)
  if (call.name === 'GENERATOR') return add(generate(call), item, around)
  const args = call.args.map((arg) =>
    arg.kind === 'column'
      ? arg.parts.join('.')
      : arg.kind === 'string'
        ? arg.text
        : unsupportedArgument(call.name),
  )
  const found = around.compiler.catalog.tableFunction(call.name, args)
  if (found === undefined) throw unsupported(`table function ${call.name}`)
  return add(found, item, around)
}

function unsupportedArgument(name: string): never {
  throw unsupported(`${name} with an argument that is no name`)
}

function join(item: Extract<FromItem, { kind: 'join' }>, around: Surroundings): string {
  const before = around.scope.sources.length
  let left = compileFrom(item.left, around)
  let rowNumber: string | undefined
  if (around.compiler.numbersRows && item.right.kind === 'function') {
    const numbered = numberRows(left, before, around)
    left = numbered.sql
    rowNumber = numbered.rowNumber
  }
  const middle = around.scope.sources.length
  const right = compileFrom(item.right, {
    ...around,
    ...(rowNumber !== undefined && { rowNumber }),
  })
  if (item.type === 'CROSS') return `${left} CROSS JOIN ${right}`
  const leftSources = around.scope.sources.slice(before, middle)
  const rightSources = around.scope.sources.slice(middle)
  const condition =
    item.natural || item.using.length > 0
      ? using(item, { leftSources, rightSources, around })
      : on(item, around)
  return `${left} ${item.type} JOIN ${right} ON ${condition}`
}

function on(
  { on: condition }: Extract<FromItem, { kind: 'join' }>,
  { scope, env }: Surroundings,
): string {
  return condition === undefined
    ? 'true'
    : cast(compile(condition, scope, env), BOOLEAN, { zone: env.zone }).sql
}

/** The sources since `from` as one subquery whose rows have numbers. */
function numberRows(
  left: string,
  from: number,
  { scope, compiler }: Surroundings,
): { sql: string; rowNumber: string } {
  const alias = compiler.freshName()
  const items: string[] = []
  const sources = scope.sources.slice(from).map((each) => ({
    ...each,
    columns: each.columns.map((column) => {
      items.push(`${column.sql} AS c${items.length + 1}`)
      return { ...column, sql: `${alias}.c${items.length}` }
    }),
  }))
  scope.sources = [...scope.sources.slice(0, from), ...sources]
  items.push('row_number() OVER () AS n')
  return { sql: `(SELECT ${items.join(', ')} FROM ${left}) AS ${alias}`, rowNumber: `${alias}.n` }
}

const visible = (sources: readonly Source[]): readonly ScopeColumn[] =>
  sources.flatMap(({ columns, hidden }) => columns.filter(({ name }) => !hidden.has(name)))

/** The columns that both sides have become one, which an unqualified name and a star mean. */
function using(
  item: Extract<FromItem, { kind: 'join' }>,
  {
    leftSources,
    rightSources,
    around,
  }: { leftSources: readonly Source[]; rightSources: readonly Source[]; around: Surroundings },
): string {
  const [left, right] = [visible(leftSources), visible(rightSources)]
  const names = item.natural
    ? left.map(({ name }) => name).filter((name) => right.some((column) => column.name === name))
    : item.using
  const pairs = names.map((name) => {
    const [a, b] = [left, right].map((side) => side.find((column) => column.name === name))
    if (a === undefined || b === undefined)
      throw unsupported(`USING (${name}), which is not a column of both sides`)
    return { a, b }
  })
  const merged = pairs.map(({ a, b }) => ({
    name: a.name,
    type: a.type,
    sql: mergedSql(item.type, a, b),
  }))
  const hide = (from: Source): Source => ({ ...from, hidden: new Set([...from.hidden, ...names]) })
  const first = around.scope.sources.slice(
    0,
    around.scope.sources.length - leftSources.length - rightSources.length,
  )
  around.scope.sources = [
    ...first,
    { names: [], columns: merged, hidden: new Set() },
    ...leftSources.map(hide),
    ...rightSources.map(hide),
  ]
  const tests = pairs.map(({ a, b }) => comparable(a, b, around.env.zone).join(' = '))
  return tests.length === 0 ? 'true' : tests.join(' AND ')
}

function mergedSql(type: string, a: ScopeColumn, b: ScopeColumn): string {
  if (type === 'RIGHT') return b.sql
  return type === 'FULL' ? `coalesce(${a.sql}, ${b.sql})` : a.sql
}
