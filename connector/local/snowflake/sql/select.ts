// SELECT for the query engine: parsed, checked against the catalog, compiled. Nothing is guessed: what is not
// known is refused by name.
import { doesNotExist, SqlError, unsupported } from '../errors.ts'
import { qualifiedName } from '../identifiers.ts'
import type { SqlContext } from './create-drop.ts'
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
  readonly #travels = new Map<TimeTravel, { parts: readonly string[]; sql: string }>()
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
    const at = travel === undefined ? undefined : this.#travels.get(travel)
    // What Snowflake keeps of the account's use; there is nothing here that would be metered.
    if (parts.length === 3 && parts[0] === 'SNOWFLAKE') throw unsupported(parts.join('.'))
    const system = informationSchema(parts, session, this.#context)
    if (system !== undefined) return system
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
    return { sql: at?.sql ?? names.map(sqlName).join('.'), columns, names }
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
      const compiled = this.#compiler(session).query(
        parseQuery(new TokenReader(view.query)),
        undefined,
      )
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

  /** Looks up the snapshots that AT and BEFORE mean, before anything is compiled. */
  async travel(query: Query): Promise<void> {
    for (const { parts, travel } of travelsIn(query)) {
      const identifier = tableIdentifier(parts, this.#statement.session)
      const table = this.#context.warehouse.table(identifier)
      if (table === undefined) continue
      const atMs = await this.#momentMs(travel)
      const snapshot = table.snapshots.findLast(({ timestampMs }) =>
        travel.before ? timestampMs < atMs : timestampMs <= atMs,
      )
      if (snapshot === undefined)
        throw new SqlError(
          '000707',
          '02000',
          `Time travel data is not available for table ${identifier.table}. The requested time is either beyond the allowed time travel period or before the object creation time.`,
        )
      this.#travels.set(travel, { parts, sql: `(${await table.scanSql(snapshot.snapshotId)})` })
    }
  }

  async #momentMs({ kind, value }: TimeTravel): Promise<number> {
    const { session, signal } = this.#statement
    const compiler = this.#compiler(session)
    const compiled = compile(value, new Scope(undefined), compiler.environment(new Map()))
    const sql =
      kind === 'OFFSET'
        ? `CAST(${compiled.sql} AS DOUBLE) * 1000`
        : `epoch_ms(${cast(compiled, LTZ, { zone: zoneOf(session) }).sql})`
    const { rows } = await this.#context.warehouse.query(`SELECT CAST(${sql} AS DOUBLE)`, {
      signal,
      timeoutMs: 10_000,
      rowsMax: 1,
    })
    const ms = Number(rows[0]?.[0])
    if (!Number.isFinite(ms))
      throw new SqlError('000707', '02000', 'The time of AT or BEFORE is NULL.')
    return kind === 'OFFSET' ? this.#context.clock.now() + ms : ms
  }
}

/** Every table of the tree that is asked for at another time. */
function travelsIn(node: unknown): readonly { parts: readonly string[]; travel: TimeTravel }[] {
  if (typeof node !== 'object' || node === null) return []
  const own =
    'travel' in node && node.travel !== undefined && 'parts' in node
      ? [{ parts: node.parts as readonly string[], travel: node.travel as TimeTravel }]
      : []
  const inner = node instanceof Map ? [...node.values()] : Object.values(node)
  return [...own, ...inner.flatMap(travelsIn)]
}
