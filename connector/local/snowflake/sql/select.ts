// SELECT for the query engine: parsed, checked against the catalog, compiled. Nothing is guessed: what is not
// known is refused by name.
import { ConnectError } from '../../../api/errors.ts'
import { doesNotExist, SqlError, unsupported } from '../errors.ts'
import { qualifiedName } from '../identifiers.ts'
import type { SqlContext } from './create-drop.ts'
import { engineError } from './engine-error.ts'
import { informationSchema } from './information-schema.ts'
import { checkSchema, inSchema, tableIdentifier } from './object-name.ts'
import type { Query, TimeTravel } from './query/ast.ts'
import type { CatalogTable, CatalogView } from './query/compile-from.ts'
import { compile } from './query/compile-expression.ts'
import { QueryCompiler } from './query/compile-query.ts'
import { internal } from './query/compiled.ts'
import { cast, engineType } from './query/casts.ts'
import { parseQuery } from './query/parse-query.ts'
import { Scope } from './query/scope.ts'
import { LTZ, type SqlType, typeOfIceberg } from './query/sql-types.ts'
import type { Session, Statement } from './session.ts'
import { TokenReader } from './token-reader.ts'
import { sqlName } from './tokens.ts'

/** What the query engine is asked, and the columns that the answer has. */
export interface EngineQuery {
  readonly sql: string
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[]
}

const VIEW_DEPTH_MAX = 32
const DEFAULT_ZONE = 'UTC'

/** The session's time zone, which ALTER SESSION SET TIMEZONE changes. */
export const zoneOf = ({ parameters }: Session): string =>
  parameters?.get('TIMEZONE') ?? DEFAULT_ZONE

/** Translates a SELECT, WITH or VALUES statement. @throws SqlError */
export async function translateSelect(
  statement: Statement,
  context: SqlContext,
): Promise<EngineQuery> {
  const query = parseQuery(new TokenReader(statement.sql))
  const translation = new Translation(statement, context)
  await translation.travel(query)
  return translation.compile(query)
}

class Translation {
  readonly #statement: Statement
  readonly #context: SqlContext
  /** The table at the time that is asked for, by the place in a tree where it is asked for. */
  readonly #travels = new Map<TimeTravel, string>()
  /** The trees of views, which are those that `#travels` knows. */
  readonly #views = new Map<string, Query>()
  #viewDepth = 0

  constructor(statement: Statement, context: SqlContext) {
    this.#statement = statement
    this.#context = context
  }

  compile(query: Query): EngineQuery {
    const { sql, columns } = this.#compiler(this.#statement.session).query(query, undefined)
    const { zone } = this.#base(this.#statement.session)
    // Each column in the one engine type that its values are encoded from.
    const items = columns.map(({ type }, index) => {
      const name = `q.${internal(index)}`
      if (type.kind === 'null') return `CAST(${name} AS VARCHAR)`
      if (type.kind === 'fixed') return `CAST(${name} AS DECIMAL(38,${type.scale}))`
      return type.kind === 'ltz'
        ? cast({ sql: name, type }, LTZ, { zone }).sql
        : `CAST(${name} AS ${engineType(type)})`
    })
    if (items.length === 0) throw unsupported('a SELECT without columns')
    return { sql: `SELECT ${items.join(', ')} FROM (${sql}) AS q`, columns }
  }

  #base(session: Session): ConstructorParameters<typeof QueryCompiler>[0] {
    return {
      zone: zoneOf(session),
      nowMs: this.#context.clock.now(),
      session,
      binds: this.#statement.binds,
    }
  }

  #compiler(session: Session): QueryCompiler {
    const catalog: CatalogView = {
      table: (parts, travel) => this.#table(parts, travel, session),
      tableFunction: (name, args) => this.#context.tableFunction?.(name, args, session),
    }
    const numbersRows = /\bSEQ\b/i.test(this.#statement.sql)
    return new QueryCompiler(this.#base(session), catalog, numbersRows || this.#viewDepth > 0)
  }

  #table(parts: readonly string[], travel: TimeTravel | undefined, session: Session): CatalogTable {
    // What Snowflake keeps of the account's use; there is nothing here that would be metered.
    if (parts.length === 3 && parts[0] === 'SNOWFLAKE') throw unsupported(parts.join('.'))
    const system = informationSchema(parts, session, this.#context)
    if (system !== undefined) {
      if (travel !== undefined) throw unsupported('time travel of INFORMATION_SCHEMA')
      return system
    }
    const { database, schema, name } = inSchema(parts, session)
    checkSchema(this.#context.warehouse, database, schema)
    const view = this.#context.objects.view({ database, schema, name })
    if (view !== undefined) {
      if (travel !== undefined) throw unsupported('time travel of a view')
      return this.#view({ database, schema, name }, view)
    }
    const table = this.#context.warehouse.table({ database, schema, table: name })
    if (table === undefined) throw doesNotExist('Object', qualifiedName(database, schema, name))
    const names = [database, schema, name]
    const columns = table.schema.fields.map((field) => ({
      name: field.name,
      sqlName: field.name,
      type: typeOfIceberg(field.type),
    }))
    if (travel === undefined) return { sql: names.map(sqlName).join('.'), columns, names }
    const sql = this.#travels.get(travel)
    if (sql === undefined) throw unavailable(name, 'It was made while the statement was compiled.')
    return { sql, columns, names }
  }

  #view(
    { database, schema, name }: { database: string; schema: string; name: string },
    view: { readonly query: string; readonly columns: readonly string[] },
  ): CatalogTable {
    if (++this.#viewDepth > VIEW_DEPTH_MAX)
      throw new SqlError(
        '002037',
        '42601',
        `SQL compilation error:\nView ${name} refers to itself or is nested too deeply.`,
      )
    try {
      const session = { ...this.#statement.session, database, schema }
      const query = this.#viewTree(database, schema, view.query)
      const compiled = this.#compiler(session).query(query, undefined)
      return {
        sql: `(${compiled.sql})`,
        names: [database, schema, name],
        columns: compiled.columns.map((column, index) => ({
          name: view.columns[index] ?? column.name,
          type: column.type,
          sqlName: internal(index),
        })),
      }
    } finally {
      this.#viewDepth--
    }
  }

  #viewTree(database: string, schema: string, sql: string): Query {
    const key = JSON.stringify([database, schema, sql])
    const tree = this.#views.get(key) ?? parseQuery(new TokenReader(sql))
    this.#views.set(key, tree)
    return tree
  }

  /** Looks up the snapshots that AT and BEFORE mean, in views too, before anything is compiled. */
  async travel(query: Query): Promise<void> {
    const waiting = [{ query, session: this.#statement.session }]
    const seen = new Set<Query>()
    for (const { query: tree, session } of waiting) {
      if (seen.has(tree)) continue
      seen.add(tree)
      for (const { parts, travel } of tablesIn(tree)) {
        if (travel !== undefined) await this.#resolve(parts, travel, session)
        const inner = this.#viewOf(parts, session)
        if (inner !== undefined) waiting.push(inner)
      }
    }
  }

  #viewOf(
    parts: readonly string[],
    session: Session,
  ): { query: Query; session: Session } | undefined {
    // A name without a schema may be a common table expression: nothing is refused here.
    const database = parts.at(-3) ?? session.database
    const schema = parts.at(-2) ?? session.schema
    const name = parts.at(-1)
    if (database === undefined || schema === undefined || name === undefined) return undefined
    const view = this.#context.objects.view({ database, schema, name })
    if (view === undefined) return undefined
    const query = this.#viewTree(database, schema, view.query)
    return { query, session: { ...session, database, schema } }
  }

  async #resolve(parts: readonly string[], travel: TimeTravel, session: Session): Promise<void> {
    const identifier = tableIdentifier(parts, session)
    const table = this.#context.warehouse.table(identifier)
    if (table === undefined) return
    const atMs = await this.#momentMs(travel)
    if (atMs > this.#context.clock.now())
      throw unavailable(identifier.table, 'The requested time is in the future.')
    const snapshot = table.snapshots.findLast(({ timestampMs }) =>
      travel.before ? timestampMs < atMs : timestampMs <= atMs,
    )
    if (snapshot === undefined)
      throw unavailable(
        identifier.table,
        'The requested time is either beyond the allowed time travel period or before the object creation time.',
      )
    this.#travels.set(travel, `(${await table.scanSql(snapshot.snapshotId)})`)
  }

  async #momentMs({ kind, value }: TimeTravel): Promise<number> {
    const { session, signal } = this.#statement
    const compiler = this.#compiler(session)
    const compiled = compile(value, new Scope(undefined), compiler.environment(new Map()))
    const sql =
      kind === 'OFFSET'
        ? `CAST(${compiled.sql} AS DOUBLE) * 1000`
        : `epoch_ms(${cast(compiled, LTZ, { zone: zoneOf(session) }).sql})`
    const options = { signal, timeoutMs: 10_000, rowsMax: 1 }
    const { rows } = await this.#context.warehouse
      .query(`SELECT CAST(${sql} AS DOUBLE)`, options)
      .catch((error: unknown) => {
        if (error instanceof ConnectError || signal.aborted) throw error
        throw engineError(error)
      })
    const answer = rows[0]?.[0]
    const ms = Number(answer)
    if (answer === null || !Number.isFinite(ms))
      throw new SqlError('000707', '02000', 'The time of AT or BEFORE is NULL.')
    return kind === 'OFFSET' ? this.#context.clock.now() + ms : ms
  }
}

const unavailable = (table: string, why: string): SqlError =>
  new SqlError('000707', '02000', `Time travel data is not available for table ${table}. ${why}`)

/** Every table of the tree, with the time that it is asked for at. */
function tablesIn(
  node: unknown,
): readonly { parts: readonly string[]; travel: TimeTravel | undefined }[] {
  if (typeof node !== 'object' || node === null) return []
  const own =
    'travel' in node && 'parts' in node
      ? [{ parts: node.parts as readonly string[], travel: node.travel as TimeTravel | undefined }]
      : []
  const inner = node instanceof Map ? [...node.values()] : Object.values(node)
  return [...own, ...inner.flatMap(tablesIn)]
}
