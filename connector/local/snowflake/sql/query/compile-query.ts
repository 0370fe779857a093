// Queries in the query engine's words. Every source, and every column of a subquery, gets a name of ours, so
// that no name of the statement reaches the engine but those of existing tables and their columns.
import { SqlError, syntaxError, unsupported } from '../../errors.ts'
import { cast } from './casts.ts'
import { orderKeys } from './compile-call.ts'
import { compile, type Environment } from './compile-expression.ts'
import { type CompiledQuery, internal, type OutputColumn, source } from './compiled.ts'
import type { Expression, GroupBy, OrderItem, Query, QueryBody, Select, SelectItem } from './ast.ts'
import { type CatalogView, compileFrom } from './compile-from.ts'
import { never } from './never.ts'
import { unify } from './functions/definition.ts'
import { Scope } from './scope.ts'
import { BOOLEAN, commonType, fixed, TEXT, type Typed } from './sql-types.ts'

type Tables = ReadonlyMap<
  string,
  { readonly name: string; readonly columns: readonly OutputColumn[] }
>

/** Compiles the queries of one statement. */
export class QueryCompiler {
  readonly #base: Omit<Environment, 'query' | 'compile'>
  readonly catalog: CatalogView
  /** Whether the statement asks for FLATTEN's SEQ, for which rows have to be numbered. */
  readonly numbersRows: boolean
  #names = 0

  constructor(
    base: Omit<Environment, 'query' | 'compile'>,
    catalog: CatalogView,
    numbersRows: boolean,
  ) {
    this.#base = base
    this.numbersRows = numbersRows
    this.catalog = catalog
  }

  freshName(): string {
    return `t${++this.#names}`
  }

  environment(tables: Tables): Environment {
    const env: Environment = {
      ...this.#base,
      compile: (expression, scope) => compile(expression, scope, env),
      query: (query, scope) => {
        const { sql, columns } = this.query(query, scope, tables)
        return { sql, types: columns.map(({ type }) => type) }
      },
    }
    return env
  }

  query(query: Query, outer: Scope | undefined, known: Tables = new Map()): CompiledQuery {
    const tables = new Map(known)
    if (query.recursive) throw unsupported('WITH RECURSIVE')
    const texts = query.with.map(({ name, columns, query: inner }) => {
      const compiled = this.query(inner, outer, tables)
      const alias = this.freshName()
      tables.set(name, { name: alias, columns: renamed(compiled.columns, columns) })
      return `${alias} AS (${compiled.sql})`
    })
    const compiled = this.#ordered(query, outer, tables)
    if (texts.length === 0) return compiled
    return { sql: `WITH ${texts.join(', ')} ${compiled.sql}`, columns: compiled.columns }
  }

  #ordered(query: Query, outer: Scope | undefined, tables: Tables): CompiledQuery {
    const { body, orderBy, orderByAll } = query
    const env = this.environment(tables)
    if (body.kind === 'select') {
      const { sql, columns, order } = this.#select(body, outer, { tables, orderBy })
      const all = orderByAll === undefined ? order : allColumns(columns, orderByAll)
      return { sql: `${sql}${all}${limits(query, env)}`, columns }
    }
    const { sql, columns } = this.#body(body, outer, tables)
    if (orderBy.length === 0 && orderByAll === undefined)
      return { sql: `${sql}${limits(query, env)}`, columns }
    const scope = new Scope(outer)
    const alias = this.freshName()
    scope.sources = [source(alias, columns, [])]
    const order =
      orderByAll === undefined
        ? ` ORDER BY ${orderKeys(orderBy, (item) => byPosition(item, columns, alias) ?? compile(item.expression, scope, env))}`
        : allColumns(columns, orderByAll)
    return { sql: `SELECT * FROM (${sql}) AS ${alias}${order}${limits(query, env)}`, columns }
  }

  #body(body: QueryBody, outer: Scope | undefined, tables: Tables): CompiledQuery {
    switch (body.kind) {
      case 'select':
        return this.#select(body, outer, { tables, orderBy: [] })
      case 'nested':
        return this.query(body.query, outer, tables)
      case 'values':
        return this.values(body.rows, outer, tables)
      case 'set':
        return this.#set(body, outer, tables)
      default:
        return never(body)
    }
  }

  values(
    rows: readonly (readonly Expression[])[],
    outer: Scope | undefined,
    tables: Tables,
  ): CompiledQuery {
    const env = this.environment(tables)
    const scope = new Scope(outer)
    const compiled = rows.map((row) => row.map((item) => compile(item, scope, env)))
    const width = compiled[0]?.length ?? 0
    if (compiled.some((row) => row.length !== width))
      throw syntaxError('VALUES with rows of different sizes')
    const unified = Array.from({ length: width }, (_, column) =>
      unify(
        compiled.map((row) => row[column] ?? { sql: 'NULL', type: TEXT }),
        env.zone,
      ),
    )
    const texts = compiled.map(
      (_, row) => `(${unified.map(({ args }) => args[row]?.sql ?? 'NULL').join(', ')})`,
    )
    const names = unified.map((_, index) => internal(index)).join(', ')
    return {
      sql: `SELECT * FROM (VALUES ${texts.join(', ')}) AS ${this.freshName()}(${names})`,
      columns: unified.map(({ type }, index) => ({ name: `COLUMN${index + 1}`, type })),
    }
  }

  #set(
    { operator, left, right }: Extract<QueryBody, { kind: 'set' }>,
    outer: Scope | undefined,
    tables: Tables,
  ): CompiledQuery {
    const [a, b] = [this.#body(left, outer, tables), this.#body(right, outer, tables)]
    if (a.columns.length !== b.columns.length)
      throw new SqlError(
        '001789',
        '42601',
        `SQL compilation error:\ninvalid number of result columns for set operator input branches, expected ${a.columns.length}, got ${b.columns.length}`,
      )
    const columns = a.columns.map(({ name, type }, index) => ({
      name,
      type: commonType(type, b.columns[index]?.type ?? type),
    }))
    const side = (compiled: CompiledQuery): string => {
      const alias = this.freshName()
      const items = compiled.columns.map(({ type }, index) => {
        const wanted = columns[index]?.type ?? type
        return `${cast({ sql: `${alias}.${internal(index)}`, type }, wanted, { zone: this.#base.zone }).sql} AS ${internal(index)}`
      })
      return `SELECT ${items.join(', ')} FROM (${compiled.sql}) AS ${alias}`
    }
    return { sql: `(${side(a)}) ${operator} (${side(b)})`, columns }
  }

  #select(
    select: Select,
    outer: Scope | undefined,
    { tables, orderBy }: { tables: Tables; orderBy: readonly OrderItem[] },
  ): CompiledQuery & { readonly order: string } {
    const env = this.environment(tables)
    const scope = new Scope(outer)
    const from =
      select.from === undefined
        ? ''
        : ` FROM ${compileFrom(select.from, { scope, env, tables, compiler: this, outer })}`
    const items = select.items.flatMap((item) => this.#item(item, scope, env))
    const expressions = items.map(({ value, name }, index) => ({ ...value, name, index }))
    const clause = (word: string, expression: Expression | undefined): string =>
      expression === undefined
        ? ''
        : ` ${word} ${cast(compile(expression, scope, env), BOOLEAN, { zone: env.zone }).sql}`
    const grouped =
      select.groupBy === undefined
        ? ''
        : groupText(select.groupBy, (item) => groupItem(item, expressions, scope, env))
    // Rows of DISTINCT are compared as they are; JSON by its text.
    const list = expressions.map(({ sql, index }) => `${sql} AS ${internal(index)}`).join(', ')
    const sql = `SELECT ${select.distinct ? 'DISTINCT ' : ''}${list}${from}${clause('WHERE', select.where)}${grouped}${clause('HAVING', select.having)}${clause('QUALIFY', select.qualify)}`
    const order =
      orderBy.length === 0
        ? ''
        : ` ORDER BY ${orderKeys(orderBy, (item) => orderItem(item, expressions, scope, env))}`
    return { sql, columns: expressions.map(({ name, type }) => ({ name, type })), order }
  }

  #item(
    item: SelectItem,
    scope: Scope,
    env: Environment,
  ): readonly { name: string; value: Typed }[] {
    if (item.kind === 'star') return starItems(item, scope)
    const { expression, alias, text } = item
    const value = compile(expression, scope, env)
    if (alias !== undefined) scope.aliases.set(alias, { sql: `(${value.sql})`, type: value.type })
    const column = expression.kind === 'column' ? expression.parts.at(-1) : undefined
    return [{ name: alias ?? column ?? text.toUpperCase(), value }]
  }
}

const renamed = (
  columns: readonly OutputColumn[],
  names: readonly string[],
): readonly OutputColumn[] => {
  if (names.length > columns.length)
    throw syntaxError(`${columns.length} columns, but ${names.length} names for them`)
  return columns.map((column, index) => ({ name: names[index] ?? column.name, type: column.type }))
}

function starItems(
  item: Extract<SelectItem, { kind: 'star' }>,
  scope: Scope,
): readonly { name: string; value: Typed }[] {
  const pattern = item.ilike === undefined ? undefined : likePattern(item.ilike)
  const sources = scope.starSources(item.qualifier)
  const columns = sources.flatMap(({ columns: all, hidden }) =>
    all.filter(
      ({ name }) =>
        !item.exclude.includes(name) &&
        (pattern?.test(name) ?? true) &&
        !(item.qualifier.length === 0 && hidden.has(name)),
    ),
  )
  return columns.map((column) => ({
    name: item.rename.get(column.name) ?? column.name,
    value: column,
  }))
}

const likePattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.')}$`,
    'is',
  )

interface Item extends Typed {
  readonly name: string
  readonly index: number
}

/** `GROUP BY 2` and `ORDER BY 2` mean the second column. */
function position(expression: Expression, items: readonly Item[]): Item | undefined {
  if (expression.kind !== 'number' || !/^\d+$/.test(expression.text)) return undefined
  const item = items[Number(expression.text) - 1]
  if (item !== undefined) return item
  throw new SqlError(
    '000979',
    '42601',
    `SQL compilation error:\nGROUP BY or ORDER BY position ${expression.text} is not in the select list of ${items.length} columns`,
  )
}

const groupItem = (
  expression: Expression,
  items: readonly Item[],
  scope: Scope,
  env: Environment,
): string => groupKeyOf(position(expression, items) ?? compile(expression, scope, env))

const groupKeyOf = (value: Typed): string => value.sql

function groupText({ kind, sets }: GroupBy, of: (item: Expression) => string): string {
  const texts = sets.map((set) => set.map(of).join(', '))
  if (kind === 'all') return ' GROUP BY ALL'
  if (kind === 'list') return ` GROUP BY ${texts.join(', ')}`
  if (kind === 'sets')
    return ` GROUP BY GROUPING SETS (${texts.map((text) => `(${text})`).join(', ')})`
  return ` GROUP BY ${kind.toUpperCase()} (${texts.join(', ')})`
}

/** In ORDER BY an alias comes before a column of that name. */
function orderItem(
  { expression }: OrderItem,
  items: readonly Item[],
  scope: Scope,
  env: Environment,
): Typed {
  const item = position(expression, items)
  if (item !== undefined) return item
  if (expression.kind === 'column' && expression.parts.length === 1) {
    const alias = scope.aliases.get(expression.parts[0] ?? '')
    if (alias !== undefined) return alias
  }
  return compile(expression, scope, env)
}

function byPosition(
  { expression }: OrderItem,
  columns: readonly OutputColumn[],
  alias: string,
): Typed | undefined {
  const items = columns.map(({ name, type }, index) => ({
    name,
    type,
    index,
    sql: `${alias}.${internal(index)}`,
  }))
  return position(expression, items)
}

const allColumns = (columns: readonly OutputColumn[], direction: 'asc' | 'desc'): string =>
  ` ORDER BY ${columns.map((_, index) => `${index + 1} ${direction === 'asc' ? 'ASC NULLS LAST' : 'DESC NULLS FIRST'}`).join(', ')}`

function limits({ limit, offset }: Query, env: Environment): string {
  const count = (expression: Expression): string =>
    `CAST(${cast(compile(expression, new Scope(undefined), env), fixed(), { zone: env.zone }).sql} AS BIGINT)`
  const isAll = limit === undefined || limit.kind === 'null'
  return `${isAll ? '' : ` LIMIT ${count(limit)}`}${offset === undefined || offset.kind === 'null' ? '' : ` OFFSET ${count(offset)}`}`
}
