// A session for people: any statement, all kinds of values as exact texts. By Snowflake's own driver, towards Snowflake and the
// local endpoint alike.
import { ConnectError } from '../../api/errors.ts'
import type { Login } from '../../snowflake/connection-config.ts'
import { credentialOf } from '../../snowflake/connection.ts'
import type { DriverLogin } from '../../snowflake/credential.ts'
import { createHttpClient } from '../../snowflake/http.ts'
import type { ProxySettings } from '../../snowflake/http-proxy.ts'
import { driverProxy, loadDriver } from '../../snowflake/sql.ts'
import type { Column, ColumnKind, Result } from './output.ts'

/** Where to log in. */
export interface Account {
  readonly accountUrl: string
  readonly account: string
  readonly user: string
  readonly login: Login
  readonly proxy: ProxySettings | undefined
  readonly role: string | undefined
  readonly warehouse: string | undefined
  readonly database: string | undefined
  readonly schema: string | undefined
}

export interface SqlLimits {
  readonly loginTimeoutMs: number
  /** For one statement with its result. */
  readonly statementTimeoutMs: number
  readonly maxRows: number
}

/** A session of one user. */
export interface Connection {
  /** @throws ConnectError with Snowflake's words, or what kept it from answering. An abort cancels the statement there. */
  run(sql: string, signal: AbortSignal): Promise<Result>
  /** Database and schema that names without them are looked up in. */
  context(): string
  close(): Promise<void>
}

interface DriverColumn {
  getName(): string
  getType(): string
}
interface DriverStatement {
  getColumns(): readonly DriverColumn[] | undefined
  streamRows(): AsyncIterable<readonly unknown[]>
  cancel(done: (error: unknown) => void): void
}
interface DriverSession {
  connect(done: (error: unknown) => void): void
  execute(options: object): DriverStatement
  destroy(done: (error: unknown) => void): void
}

const APPLICATION = 'mta_connect_sql'
const CLOSE_MS = 2_000
/** Driver kinds that are asked for as text: doubles and dates would lose digits on the way through JavaScript. */
const AS_TEXT = ['String', 'Boolean', 'Number', 'Date', 'JSON', 'Buffer']

async function driverLogin(account: Account, timeoutMs: number): Promise<DriverLogin> {
  const http = createHttpClient(1, account.proxy)
  try {
    const credential = credentialOf(account, { send: http.send, clock: Date, timeoutMs })
    return await credential.driverLogin(AbortSignal.timeout(timeoutMs))
  } finally {
    http.close()
  }
}

/** Logs in. @throws ConnectError naming the address and what went wrong. */
export async function openConnection(account: Account, limits: SqlLimits): Promise<Connection> {
  const driver = await loadDriver()
  const session = driver.createConnection({
    account: account.account,
    accessUrl: account.accountUrl,
    username: account.user,
    ...(await driverLogin(account, limits.loginTimeoutMs)),
    ...driverProxy(account.proxy),
    ...given({ role: account.role, warehouse: account.warehouse }),
    ...given({ database: account.database, schema: account.schema }),
    application: APPLICATION,
    clientSessionKeepAlive: true,
    // Else NULL and the text 'NULL' would look alike.
    representNullAsStringNull: false,
    sfRetryMaxLoginRetries: 1,
    timeout: limits.loginTimeoutMs,
  }) as unknown as DriverSession
  const signal = AbortSignal.timeout(limits.loginTimeoutMs)
  try {
    await untilAborted(signal, (done) => session.connect(done))
  } catch (error) {
    if (signal.aborted)
      throw new ConnectError(
        `${account.accountUrl} did not answer within ${limits.loginTimeoutMs} ms`,
        { cause: error },
      )
    throw new ConnectError(`Cannot log in to ${account.accountUrl} as ${account.user}`, {
      cause: described(error),
    })
  }
  return new DriverConnection(session, account, limits)
}

const given = (options: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )

class DriverConnection implements Connection {
  readonly #session: DriverSession
  readonly #limits: SqlLimits
  #database: string
  #schema: string

  constructor(session: DriverSession, account: Account, limits: SqlLimits) {
    this.#session = session
    this.#limits = limits
    this.#database = account.database ?? ''
    this.#schema = account.schema ?? ''
  }

  async run(sql: string, signal: AbortSignal): Promise<Result> {
    const limit = AbortSignal.timeout(this.#limits.statementTimeoutMs)
    const either = AbortSignal.any([signal, limit])
    let statement: DriverStatement | undefined
    try {
      await untilAborted(either, (done) => {
        statement = this.#session.execute({
          sqlText: sql,
          streamResult: true,
          rowMode: 'array',
          fetchAsString: AS_TEXT,
          complete: done,
        })
      })
      if (statement === undefined) throw new ConnectError('The driver made no statement')
      const result = await collect(statement, this.#limits.maxRows, either)
      this.#follow(sql)
      return result
    } catch (error) {
      if (either.aborted) statement?.cancel(() => {}) // Whether that works is the server's; nobody waits for it.
      if (signal.aborted) throw new ConnectError('Cancelled', { cause: error })
      if (limit.aborted)
        throw new ConnectError(`No answer within ${this.#limits.statementTimeoutMs} ms`, {
          cause: error,
        })
      throw described(error)
    }
  }

  context(): string {
    return [this.#database, this.#schema].filter((name) => name !== '').join('.')
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS) // What cannot be logged out expires by itself.
      this.#session.destroy(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** The prompt shows where one is; the driver does not tell. */
  #follow(sql: string): void {
    const use =
      /^\s*use\s+(?:(database|schema)\s+)?("(?:[^"]|"")+"|[\w$]+)(?:\.("(?:[^"]|"")+"|[\w$]+))?\s*$/i.exec(
        sql,
      )
    if (use === null) return
    const [, kind = '', first = '', second] = use
    if (/^(role|warehouse|secondary)$/i.test(first)) return
    if (second !== undefined) {
      this.#database = folded(first)
      this.#schema = folded(second)
    } else if (kind.toLowerCase() === 'schema') this.#schema = folded(first)
    else {
      this.#database = folded(first)
      this.#schema = ''
    }
  }
}

const folded = (name: string): string => (name.startsWith('"') ? name : name.toUpperCase())

async function collect(
  statement: DriverStatement,
  maxRows: number,
  signal: AbortSignal,
): Promise<Result> {
  const columns = (statement.getColumns() ?? []).map(
    (column): Column => ({ name: column.getName(), kind: kindOf(column.getType()) }),
  )
  const rows: (string | null)[][] = []
  for await (const row of statement.streamRows()) {
    signal.throwIfAborted()
    if (rows.length === maxRows) return { columns, rows, isCut: true }
    rows.push(row.map((value) => (value === null || value === undefined ? null : textOf(value))))
  }
  return { columns, rows, isCut: false }
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  return JSON.stringify(value) // Semi-structured values that the driver has parsed.
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  fixed: 'number',
  real: 'number',
  number: 'number',
  decfloat: 'number',
  boolean: 'boolean',
  variant: 'json',
  object: 'json',
  array: 'json',
  map: 'json',
}
const kindOf = (type: string): ColumnKind => KINDS[type.toLowerCase()] ?? 'text'

/** The driver retries by itself for minutes whatever it is told, so each call has its own end. */
function untilAborted(
  signal: AbortSignal,
  start: (done: (error: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new ConnectError('Given up', { cause: signal.reason }))
    signal.addEventListener('abort', giveUp, { once: true })
    start((error) => {
      signal.removeEventListener('abort', giveUp)
      if (error === undefined || error === null) resolve()
      else
        reject(
          error instanceof Error ? error : new ConnectError('The driver failed', { cause: error }),
        )
    })
  })
}

/** Snowflake's words, and its code where there is one. */
function described(error: unknown): ConnectError {
  const {
    message = String(error),
    code,
    sqlState,
  } = error as {
    readonly message?: string
    readonly code?: unknown
    readonly sqlState?: unknown
  }
  const prefix = typeof sqlState === 'string' ? `${String(code)} (${sqlState}): ` : ''
  const { cause } = error as { readonly cause?: unknown }
  return new ConnectError(`${prefix}${message}`, { cause })
}
