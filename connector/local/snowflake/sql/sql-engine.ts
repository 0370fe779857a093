// Which statement it is, and who runs it.
import { ConnectError } from '../../../api/errors.ts'
import { doesNotExist, SqlError, unsupported } from '../errors.ts'
import { alterTable } from './alter-table.ts'
import {
  createDatabase,
  createPipe,
  createSchema,
  createTable,
  dropObject,
  type SqlContext,
} from './create-drop.ts'
import { encodeResult } from './engine-result.ts'
import { checkSchema, currentDatabase, readName, visibleDatabases } from './object-name.ts'
import { engineError } from './engine-error.ts'
import { SqlObjects } from './objects.ts'
import { type ResultSet, statusResult } from './result.ts'
import { translateSelect } from './select.ts'
import type { Statement } from './session.ts'
import { describe, show } from './show.ts'
import { TokenReader } from './token-reader.ts'

export interface SqlLimits {
  readonly timeoutMs: number
  readonly rowsMax: number
}

/** Statements about what the local endpoint has none of: taken, and without effect. */
const NOT_ENFORCED = new Set([
  'GRANT',
  'REVOKE',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'START',
  'COMMENT',
  'SET',
  'UNSET',
])
const NOT_ENFORCED_OBJECTS = new Set([
  'ROLE',
  'USER',
  'WAREHOUSE',
  'EXTERNAL',
  'RESOURCE',
  'NETWORK',
  'TAG',
  'MASKING',
  'STREAM',
  'TASK',
  'SESSION',
  'ACCOUNT',
])
const NOT_ENFORCED_STATUS = 'Statement accepted, but not enforced by the embedded endpoint.'

/** Runs one statement at a time for whoever asks. */
export class SqlEngine {
  readonly #context: SqlContext
  readonly #limits: SqlLimits

  /** Without `objects`, views and recorded objects are forgotten with the process. */
  constructor(
    context: Omit<SqlContext, 'objects'> & Partial<Pick<SqlContext, 'objects'>>,
    limits: SqlLimits,
  ) {
    this.#context = { ...context, objects: context.objects ?? SqlObjects.inMemory() }
    this.#limits = limits
  }

  /** @throws SqlError with Snowflake's code and SQLSTATE. */
  async execute(statement: Statement): Promise<ResultSet> {
    const sql = statement.sql.replace(/[;\s]+$/, '')
    const reader = new TokenReader(sql)
    const first = reader.peek()
    if (first.kind === 'end')
      throw new SqlError('000900', '42000', 'SQL compilation error:\nEmpty SQL statement.')
    try {
      return await this.#route(reader, { ...statement, sql })
    } catch (error) {
      if (error instanceof SqlError || !(error instanceof ConnectError)) throw error
      throw new SqlError('000603', 'XX000', error.message, { cause: error })
    }
  }

  #route(reader: TokenReader, statement: Statement): Promise<ResultSet> | ResultSet {
    const first = reader.peek()
    if (first.text === '(' || first.value === 'SELECT' || first.value === 'WITH')
      return this.#select(statement)
    reader.at++
    switch (first.value) {
      case 'CREATE':
        return this.#create(reader, statement)
      case 'DROP':
        return this.#drop(reader, statement)
      case 'ALTER':
        return this.#alter(reader, statement)
      case 'SHOW':
        return show(reader, statement, this.#context)
      case 'DESCRIBE':
      case 'DESC':
        return describe(reader, statement, this.#context)
      case 'USE':
        return this.#use(reader, statement)
      default:
        if (NOT_ENFORCED.has(first.value)) return statusResult(NOT_ENFORCED_STATUS)
        throw first.kind === 'word'
          ? unsupported(first.value)
          : reader.unexpected('a statement', first)
    }
  }

  async #select(statement: Statement): Promise<ResultSet> {
    const { sql, columns } = await translateSelect(statement, this.#context)
    const options = { signal: statement.signal, ...this.#limits }
    try {
      return encodeResult(await this.#context.warehouse.query(sql, options), columns)
    } catch (error) {
      if (error instanceof ConnectError || statement.signal.aborted) throw error
      throw engineError(error)
    }
  }

  #create(reader: TokenReader, statement: Statement): Promise<ResultSet> | ResultSet {
    const replace = reader.take('OR', 'REPLACE')
    if (!reader.take('TRANSIENT') && !reader.take('TEMPORARY')) reader.take('TEMP')
    reader.take('ICEBERG')
    const kind = reader.expectName()
    const context = { ...this.#context, replace }
    if (kind === 'DATABASE') return createDatabase(reader, statement, context)
    if (kind === 'SCHEMA') return createSchema(reader, statement, context)
    if (kind === 'TABLE') return createTable(reader, statement, context)
    if (kind === 'PIPE') return createPipe(reader, statement, context)
    if (NOT_ENFORCED_OBJECTS.has(kind)) return statusResult(NOT_ENFORCED_STATUS)
    throw unsupported(`CREATE ${kind}`)
  }

  #drop(reader: TokenReader, statement: Statement): Promise<ResultSet> | ResultSet {
    reader.take('ICEBERG')
    const kind = reader.expectName()
    if (kind === 'DATABASE' || kind === 'SCHEMA' || kind === 'TABLE' || kind === 'PIPE')
      return dropObject(kind, reader, statement, this.#context)
    if (NOT_ENFORCED_OBJECTS.has(kind)) return statusResult(NOT_ENFORCED_STATUS)
    throw unsupported(`DROP ${kind}`)
  }

  #alter(reader: TokenReader, statement: Statement): Promise<ResultSet> | ResultSet {
    reader.take('ICEBERG')
    const kind = reader.expectName()
    if (kind === 'TABLE') return alterTable(reader, statement, this.#context)
    if (kind === 'SESSION') return statusResult('Statement executed successfully.')
    if (NOT_ENFORCED_OBJECTS.has(kind)) return statusResult(NOT_ENFORCED_STATUS)
    throw unsupported(`ALTER ${kind}`)
  }

  #use(reader: TokenReader, statement: Statement): ResultSet {
    const { session } = statement
    const { warehouse } = this.#context
    const done = statusResult('Statement executed successfully.')
    const kind = ['ROLE', 'WAREHOUSE', 'SECONDARY', 'DATABASE', 'SCHEMA'].find((word) =>
      reader.take(word),
    )
    if (kind === 'SECONDARY') return done
    const parts = readName(reader, statement)
    reader.expectEnd()
    const [first = '', second] = parts
    if (kind === 'ROLE') session.role = first
    else if (kind === 'WAREHOUSE') session.warehouse = first
    else if (kind === 'SCHEMA' || second !== undefined) {
      const database = second === undefined ? currentDatabase(session) : first
      checkSchema(warehouse, database, second ?? first)
      session.database = database
      session.schema = second ?? first
    } else {
      if (!visibleDatabases(warehouse).includes(first)) throw doesNotExist('Database', first)
      session.database = first
      session.schema = warehouse.schemas(first).includes('PUBLIC') ? 'PUBLIC' : undefined
    }
    return done
  }
}
