// Which statement it is, and who runs it.
import { ConnectError } from '../../../api/errors.ts'
import { QueryTimeoutError } from '../../iceberg/query-engine.ts'
import { doesNotExist, SqlError, unsupported } from '../errors.ts'
import {
  alterContainer,
  alterObject,
  commentOn,
  createObject,
  describeRecorded,
  dropRecorded,
  grant,
  readKind,
  showRecorded,
} from './administration.ts'
import { alterTable } from './alter-table.ts'
import { invalidateChannel } from './channel-invalidate.ts'
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
import type { Session, Statement } from './session.ts'
import { alterSession, showParameters, transaction } from './session-statements.ts'
import { describe, show } from './show.ts'
import { alterView, createView, dropView } from './views.ts'
import { TokenReader } from './token-reader.ts'

export interface SqlLimits {
  readonly timeoutMs: number
  readonly rowsMax: number
}

/** What STATEMENT_TIMEOUT_IN_SECONDS of the session allows; 0 means the longest there is. */
function sessionTimeoutMs({ parameters }: Session): number {
  const seconds = Number(parameters?.get('STATEMENT_TIMEOUT_IN_SECONDS') ?? 0)
  return seconds > 0 ? seconds * 1_000 : Number.POSITIVE_INFINITY
}

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
    const invalidated = invalidateChannel(statement, this.#context.ingests)
    if (invalidated !== undefined) return invalidated
    if (['(', 'SELECT', 'WITH', 'VALUES'].includes(first.value)) return this.#select(statement)
    reader.at++
    switch (first.value) {
      case 'CREATE':
        return this.#create(reader, statement)
      case 'DROP':
        return this.#drop(reader, statement)
      case 'ALTER':
        return this.#alter(reader, statement)
      case 'SHOW':
        return this.#show(reader, statement)
      case 'DESCRIBE':
      case 'DESC':
        return (
          describeRecorded(reader, statement, this.#context) ??
          describe(reader, statement, this.#context)
        )
      case 'USE':
        return this.#use(reader, statement)
      case 'GRANT':
      case 'REVOKE':
        return grant(first.value, statement, this.#context)
      case 'COMMENT':
        return commentOn(reader, statement, this.#context)
      default: {
        const done = transaction(first.value, reader)
        if (done !== undefined) return done
        throw first.kind === 'word'
          ? unsupported(first.value)
          : reader.unexpected('a statement', first)
      }
    }
  }

  #show(reader: TokenReader, statement: Statement): ResultSet {
    if (reader.take('PARAMETERS')) return showParameters(reader, statement)
    return showRecorded(reader, this.#context) ?? show(reader, statement, this.#context)
  }

  async #select(statement: Statement): Promise<ResultSet> {
    const { sql, columns } = await translateSelect(statement, this.#context)
    const timeoutMs = Math.min(this.#limits.timeoutMs, sessionTimeoutMs(statement.session))
    const options = { signal: statement.signal, rowsMax: this.#limits.rowsMax, timeoutMs }
    try {
      return encodeResult(await this.#context.warehouse.query(sql, options), columns)
    } catch (error) {
      if (error instanceof QueryTimeoutError)
        throw new SqlError(
          '000630',
          '57014',
          `Statement reached its statement or warehouse timeout of ${timeoutMs / 1_000} second(s) and was canceled.`,
          { cause: error },
        )
      if (error instanceof ConnectError || statement.signal.aborted) throw error
      throw engineError(error)
    }
  }

  #create(reader: TokenReader, statement: Statement): Promise<ResultSet> {
    const replace = reader.take('OR', 'REPLACE')
    const context = { ...this.#context, replace }
    const recorded = readKind(reader)
    if (recorded !== undefined) return createObject(recorded, reader, statement, context)
    const secure = reader.take('SECURE')
    if (reader.take('VIEW')) return createView(reader, statement, { ...context, secure })
    if (!reader.take('TRANSIENT') && !reader.take('TEMPORARY')) reader.take('TEMP')
    reader.take('ICEBERG')
    const kind = reader.expectName()
    if (kind === 'DATABASE') return createDatabase(reader, statement, context)
    if (kind === 'SCHEMA') return createSchema(reader, statement, context)
    if (kind === 'TABLE') return createTable(reader, statement, context)
    if (kind === 'PIPE') return createPipe(reader, statement, context)
    throw unsupported(`CREATE ${kind}`)
  }

  #drop(reader: TokenReader, statement: Statement): Promise<ResultSet> {
    const recorded = readKind(reader)
    if (recorded !== undefined) return dropRecorded(recorded, reader, statement, this.#context)
    if (reader.take('VIEW')) return dropView(reader, statement, this.#context)
    reader.take('ICEBERG')
    const kind = reader.expectName()
    if (kind === 'DATABASE' || kind === 'SCHEMA' || kind === 'TABLE' || kind === 'PIPE')
      return dropObject(kind, reader, statement, this.#context)
    throw unsupported(`DROP ${kind}`)
  }

  #alter(reader: TokenReader, statement: Statement): Promise<ResultSet> | ResultSet {
    if (reader.take('SESSION')) return alterSession(reader, statement)
    const recorded = readKind(reader)
    if (recorded !== undefined) return alterObject(recorded, reader, statement, this.#context)
    if (reader.take('VIEW')) return alterView(reader, statement, this.#context)
    reader.take('ICEBERG')
    const kind = reader.expectName()
    if (kind === 'TABLE') return alterTable(reader, statement, this.#context)
    if (kind === 'DATABASE' || kind === 'SCHEMA' || kind === 'PIPE' || kind === 'ACCOUNT')
      return alterContainer(kind, reader, statement, this.#context)
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
