// The protocol of Snowflake's drivers, as snowflake-sdk, the Python connector and JDBC speak it. Failures are
// answers with HTTP status 200 and `success: false`.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../api/clock.ts'
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'
import type { Authenticator } from '../auth.ts'
import { ApiError, SqlError } from '../errors.ts'
import { type Answer, type Call, json, jsonBody } from '../http.ts'
import { foldName } from '../identifiers.ts'
import { type ResultSet, statusResult } from '../sql/result.ts'
import type { Bind, Session, Statement } from '../sql/session.ts'
import { VERSION } from '../sql/session-functions.ts'
import { splitStatements } from '../sql/split-statements.ts'
import type { SqlEngine } from '../sql/sql-engine.ts'
import { parametersOf, VALIDITY } from './parameters.ts'
import { MASTER_SECONDS, type OpenSession, SESSION_SECONDS, Sessions } from './sessions.ts'

export interface DriverApiOptions {
  readonly auth: Authenticator
  readonly sql: SqlEngine
  readonly clock: Clock
  readonly log: PluginLogger
}

const KEPT_RESULTS_MAX = 100
const SELECT_TYPE = 4_096
const MULTI_STATEMENT_TYPE = 40_960
const RUNNING_MAX = 64

/** True for the paths that `DriverApi.handle` answers. */
export const isDriverPath = (path: string): boolean =>
  /^\/(session|queries|monitoring)(\/|$)/.test(path)

type Body = Readonly<Record<string, unknown>>

export class DriverApi {
  readonly #options: DriverApiOptions
  readonly #sessions: Sessions
  /** By request id. */
  readonly #running = new Map<string, AbortController>()
  /** Answers of statements that were sent to run on their own, by query id. */
  readonly #results = new Map<string, Promise<Answer>>()

  constructor(options: DriverApiOptions) {
    this.#options = options
    this.#sessions = new Sessions(options.clock)
  }

  async handle(call: Call): Promise<Answer> {
    const { method, path } = call
    if (path === '/session/v1/login-request') return this.#login(call)
    if (path === '/session/token-request') return this.#renew(call)
    if (path === '/session/heartbeat') return this.#withSession(call, () => success(null))
    if (path === '/session' && call.query.get('delete') === 'true')
      return this.#withSession(call, (open) => {
        this.#sessions.close(open)
        return success(null)
      })
    if (path === '/queries/v1/query-request' && method === 'POST')
      return this.#withSession(call, (open) => this.#query(call, open))
    const result = /^\/queries\/([^/]+)\/result$/.exec(path)
    if (result !== null) return this.#withSession(call, () => this.#result(result[1] ?? ''))
    if (/^\/queries\/[^/]+\/abort-request$/.test(path))
      return this.#withSession(call, () => this.#abort(call))
    const monitored = /^\/monitoring\/queries\/([^/]+)$/.exec(path)
    if (monitored !== null) return this.#withSession(call, () => this.#monitor(monitored[1] ?? ''))
    throw new ApiError(404, 'ERR_NOT_FOUND', `There is no ${method} ${path}.`)
  }

  async #login(call: Call): Promise<Answer> {
    const data = ((await jsonBody(call))['data'] ?? {}) as Body
    const authenticator = textOf(data['AUTHENTICATOR'])
    let user: string
    try {
      if (authenticator !== 'SNOWFLAKE_JWT' && authenticator !== 'PROGRAMMATIC_ACCESS_TOKEN')
        throw new ApiError(
          401,
          '390100',
          `Authenticator ${authenticator} is not supported by the embedded endpoint; use a key pair or a programmatic access token.`,
        )
      user = this.#options.auth.accountUser(textOf(data['TOKEN']), authenticator)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return failure(error.code, '08001', error.message)
    }
    const open = this.#sessions.open({
      ...sessionOf(user, call.query),
      parameters: sessionParameters(data['SESSION_PARAMETERS']),
    })
    return success({
      token: open.token,
      masterToken: open.masterToken,
      ...VALIDITY,
      sessionId: open.session.id,
      displayUserName: user,
      serverVersion: VERSION,
      firstLogin: false,
      parameters: parametersOf(open.session),
      sessionInfo: sessionInfo(open.session),
      idToken: null,
      mfaToken: null,
    })
  }

  /** A new session token for the master token, after 390112. */
  #renew(call: Call): Answer {
    const found = this.#sessions.ofMasterToken(tokenOf(call))
    if (found.kind !== 'found')
      return failure(
        '390114',
        '08001',
        'Authentication token has expired. The user must authenticate again.',
      )
    const { open } = found
    this.#sessions.renew(open)
    return success({
      sessionToken: open.token,
      validityInSecondsST: SESSION_SECONDS,
      masterToken: open.masterToken,
      validityInSecondsMT: MASTER_SECONDS,
      sessionId: open.session.id,
    })
  }

  async #withSession(
    call: Call,
    work: (open: OpenSession) => Promise<Answer> | Answer,
  ): Promise<Answer> {
    const found = this.#sessions.ofToken(tokenOf(call))
    if (found.kind === 'expired')
      return failure(
        '390112',
        '08001',
        'Session token has expired. Renew it with the master token.',
      )
    if (found.kind === 'gone')
      return failure(
        '390111',
        '08001',
        'Session no longer exists. New login required to access the service.',
      )
    return work(found.open)
  }

  async #query(call: Call, { session }: OpenSession): Promise<Answer> {
    const body = await jsonBody(call)
    const queryId = randomUUID()
    const running = this.#run(call, session, { queryId, body })
    if (body['asyncExec'] !== true) return running
    this.#keep(queryId, running)
    return success({ queryId, getResultUrl: `/queries/${queryId}/result` }, '333334')
  }

  #keep(queryId: string, running: Promise<Answer>): void {
    running.catch(() => undefined) // Whoever asks for the result gets the error.
    for (const oldest of this.#results.keys()) {
      if (this.#results.size < KEPT_RESULTS_MAX) break
      this.#results.delete(oldest)
    }
    this.#results.set(queryId, running)
  }

  async #run(
    call: Call,
    session: Session,
    { queryId, body }: { queryId: string; body: Body },
  ): Promise<Answer> {
    if (this.#running.size >= RUNNING_MAX)
      return failure('000606', '57014', `More than ${RUNNING_MAX} statements run already.`, queryId)
    const abort = new AbortController()
    const requestId = call.query.get('requestId') ?? queryId
    this.#running.set(requestId, abort)
    // A client that goes away ends its statement, unless it asked for it to run on its own.
    const signal =
      body['asyncExec'] === true ? abort.signal : AbortSignal.any([abort.signal, call.signal])
    try {
      const statement = {
        sql: textOf(body['sqlText']),
        binds: (body['bindings'] ?? {}) as Readonly<Record<string, Bind>>,
        session,
        signal,
      }
      const many = await this.#several(statement, body)
      if (many !== undefined) return success({ ...many, queryId })
      const result = await this.#options.sql.execute(statement)
      return success(
        resultData(result, session, { queryId, describeOnly: body['describeOnly'] === true }),
      )
    } catch (error) {
      return this.#failed(error, queryId, signal)
    } finally {
      this.#running.delete(requestId)
    }
  }

  /** Several statements in one text, when the client says how many; each result is asked for by its id. */
  async #several(statement: Statement, body: Body): Promise<object | undefined> {
    const wanted = ((body['parameters'] ?? {}) as Body)['MULTI_STATEMENT_COUNT']
    if (wanted === undefined || wanted === null || Number(wanted) === 1) return undefined
    const texts = splitStatements(statement.sql)
    if (Number(wanted) !== 0 && texts.length !== Number(wanted))
      throw new SqlError(
        '000008',
        '0A000',
        `Actual statement count ${texts.length} did not match the desired statement count ${Number(wanted)}.`,
      )
    const ids: string[] = []
    for (const sql of texts) {
      const id = randomUUID()
      const result = await this.#options.sql.execute({ ...statement, sql })
      const data = resultData(result, statement.session, { queryId: id, describeOnly: false })
      this.#keep(id, Promise.resolve(success(data)))
      ids.push(id)
    }
    const { session } = statement
    return {
      ...resultData(statusResult('Multiple statements executed successfully.'), session, {
        queryId: '',
        describeOnly: false,
      }),
      resultIds: ids.join(','),
      resultTypes: ids.map(() => SELECT_TYPE).join(','),
      statementTypeId: MULTI_STATEMENT_TYPE,
    }
  }

  #failed(error: unknown, queryId: string, signal: AbortSignal): Answer {
    if (signal.aborted) return failure('000604', '57014', 'SQL execution canceled', queryId)
    if (error instanceof SqlError)
      return failure(error.code, error.sqlState, error.message, queryId)
    if (error instanceof ApiError) return failure(error.code, 'XX000', error.message, queryId)
    this.#options.log.error(
      { queryId, error: toMessage(error) },
      'A statement failed in a way that nobody foresaw.',
    )
    return failure('000603', 'XX000', 'SQL execution internal error; the log has it.', queryId)
  }

  #result(queryId: string): Promise<Answer> | Answer {
    return (
      this.#results.get(queryId) ?? failure('000709', '02000', `Statement ${queryId} not found`)
    )
  }

  async #abort(call: Call): Promise<Answer> {
    const body = await jsonBody(call)
    this.#running.get(textOf(body['requestId']))?.abort()
    return success(null)
  }

  async #monitor(queryId: string): Promise<Answer> {
    const result = this.#results.get(queryId)
    if (result === undefined) return success({ queries: [] })
    const pending = Symbol('pending')
    const answer = await Promise.race([result, Promise.resolve<typeof pending>(pending)])
    const status =
      answer === pending ? 'RUNNING' : isSuccess(answer) ? 'SUCCESS' : 'FAILED_WITH_ERROR'
    return success({ queries: [{ id: queryId, status, state: status }] })
  }
}

/** A field of a body as text; what is no text reads as empty. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const isSuccess = ({ body }: Answer): boolean =>
  typeof body === 'object' && 'success' in body && body.success === true

const PARAMETERS_MAX = 200

/** What a login says of the session: the time zone, a query tag, … */
const sessionParameters = (given: unknown): Map<string, string> =>
  new Map(
    Object.entries((given ?? {}) as Body)
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      .slice(0, PARAMETERS_MAX)
      .map(([name, value]) => [name.toUpperCase(), String(value as string | number | boolean)]),
  )

function tokenOf(call: Call): string {
  const match = /Token="([^"]*)"/.exec(call.headers.authorization ?? '')
  return match?.[1] ?? ''
}

function sessionOf(user: string, query: URLSearchParams): Omit<Session, 'id'> {
  const name = (key: string): string | undefined => {
    const value = query.get(key)
    return value === null || value === '' ? undefined : foldName(value)
  }
  return {
    user,
    database: name('databaseName'),
    schema: name('schemaName'),
    role: name('roleName') ?? 'SYSADMIN',
    warehouse: name('warehouse'),
  }
}

const sessionInfo = ({ database, schema, warehouse, role }: Session): object => ({
  databaseName: database ?? null,
  schemaName: schema ?? null,
  warehouseName: warehouse ?? null,
  roleName: role,
})

function resultData(
  { columns, rows }: ResultSet,
  session: Session,
  { queryId, describeOnly }: { queryId: string; describeOnly: boolean },
): object {
  return {
    parameters: parametersOf(session),
    rowtype: columns.map((column) => ({
      ...column,
      byteLength: column.length,
      database: '',
      schema: '',
      table: '',
      collation: null,
    })),
    rowset: describeOnly ? [] : rows,
    // Without `returned` snowflake-sdk never calls back.
    returned: describeOnly ? 0 : rows.length,
    total: describeOnly ? 0 : rows.length,
    queryId,
    queryResultFormat: 'json',
    finalDatabaseName: session.database ?? null,
    finalSchemaName: session.schema ?? null,
    finalWarehouseName: session.warehouse ?? null,
    finalRoleName: session.role,
    numberOfBinds: 0,
    arrayBindSupported: false,
    statementTypeId: SELECT_TYPE,
    version: 1,
  }
}

const success = (data: object | null, code: string | null = null): Answer =>
  json({ data, code, message: null, success: true })

const failure = (code: string, sqlState: string, message: string, queryId?: string): Answer =>
  json({
    data: {
      errorCode: code,
      sqlState,
      internalError: false,
      line: -1,
      pos: -1,
      queryId: queryId ?? null,
    },
    code,
    message,
    success: false,
  })
