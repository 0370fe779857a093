// The few SQL statements, by Snowflake's own driver. It is large (0.4 s and 50 MB to load), so it is loaded only where a
// table may have to be looked at.
import { ConnectError, RetriableError } from '../api/errors.ts'
import type { Credential } from './credential.ts'
import type { ProxySettings } from './http-proxy.ts'

export interface SqlOptions {
  readonly accountUrl: string
  readonly account: string
  readonly user: string
  readonly role: string | undefined
  readonly warehouse: string | undefined
  readonly credential: Credential
  readonly proxy: ProxySettings | undefined
  /** For one statement, and for connecting. */
  readonly timeoutMs: number
}

/** A row of a result by column name. */
export type SqlRow = Readonly<Record<string, unknown>>

export interface SqlSession {
  /** @throws SqlError when Snowflake refuses it, RetriableError when it does not answer. */
  execute(sql: string, signal: AbortSignal): Promise<readonly SqlRow[]>
  close(): Promise<void>
}

/** Opens a session. @throws SqlError when Snowflake refuses it, RetriableError when it does not answer. */
export type SqlConnect = (signal: AbortSignal) => Promise<SqlSession>

/** Snowflake has refused a statement or the login. */
export class SqlError extends ConnectError {
  /** Snowflake's code, e.g. 2003. */
  readonly code: number | undefined
  /** Five characters, e.g. `42S02`. */
  readonly sqlState: string | undefined

  constructor(
    message: string,
    options: ErrorOptions & { code?: number | undefined; sqlState?: string | undefined },
  ) {
    super(message, options)
    this.code = options.code
    this.sqlState = options.sqlState
  }
}

/** Codes of "does not exist or not authorized". */
export const isNotFound = (error: unknown): boolean =>
  error instanceof SqlError && (error.code === 2003 || error.code === 2043)

/** What is used of the driver. */
export interface Driver {
  configure(options: object): void
  createConnection(options: object): DriverConnection
}

interface DriverConnection {
  connect(done: (error: unknown) => void): void
  execute(options: {
    readonly sqlText: string
    readonly complete: (error: unknown, statement: unknown, rows: unknown) => void
  }): void
  destroy(done: (error: unknown) => void): void
}

/** Read when the driver is loaded: without them it asks for the metadata servers of clouds and reports telemetry. */
const QUIET = {
  SNOWFLAKE_DISABLE_PLATFORM_DETECTION: 'true',
  SNOWFLAKE_DISABLE_MINICORE: '1',
  SF_TELEMETRY_DISABLE_CONNECTION_SHAPE: '1',
}

let loading: Promise<Driver> | undefined

async function load(): Promise<Driver> {
  for (const [name, value] of Object.entries(QUIET)) process.env[name] ??= value // oxlint-disable-line node/no-process-env -- the driver can be told in no other way
  const module = (await import('snowflake-sdk')) as unknown as { readonly default: Driver }
  // Its logger writes to stdout and to snowflake.log in the working directory.
  module.default.configure({ logLevel: 'OFF' })
  return module.default
}

/** The driver, quiet. It is loaded once. */
export function loadDriver(): Promise<Driver> {
  loading ??= load()
  return loading
}

/** Loads the driver now, so that nobody waits for it later, e.g. while Kafka's group is being joined. */
export function preloadDriver(): void {
  loadDriver().catch(() => {}) // Whoever opens a session sees it.
}

/** Makes a connector for one account and user. */
export function sqlConnector(options: SqlOptions): SqlConnect {
  return async (signal) => {
    const sdk = await loadDriver()
    const { timeoutMs } = options
    const login = await options.credential.driverLogin(signal)
    const connection = sdk.createConnection({
      account: options.account,
      accessUrl: options.accountUrl,
      username: options.user,
      ...login,
      ...driverProxy(options.proxy),
      ...(options.role === undefined ? {} : { role: options.role }),
      ...(options.warehouse === undefined ? {} : { warehouse: options.warehouse }),
      application: 'mta_connect',
      clientSessionKeepAlive: false,
      sfRetryMaxLoginRetries: 1,
      timeout: timeoutMs,
    })
    try {
      await bounded<undefined>('connect', { timeoutMs, signal }, (done) => {
        connection.connect((error) => done(error, undefined))
      })
    } catch (error) {
      if (error instanceof SqlError) options.credential.refused()
      throw error
    }
    return session(connection, timeoutMs)
  }
}

/** The proxy as the driver takes it. */
export const driverProxy = (proxy: ProxySettings | undefined): object =>
  proxy === undefined
    ? {}
    : {
        proxyHost: proxy.host,
        proxyPort: proxy.port,
        noProxy: proxy.nonProxyHosts,
        ...(proxy.user === undefined
          ? {}
          : { proxyUser: proxy.user, proxyPassword: proxy.password?.reveal() ?? '' }),
      }

function session(connection: DriverConnection, timeoutMs: number): SqlSession {
  return {
    execute: (sql, signal) =>
      bounded<readonly SqlRow[]>(sql, { timeoutMs, signal }, (done) => {
        connection.execute({
          sqlText: sql,
          complete: (error, _statement, rows) => done(error, (rows ?? []) as readonly SqlRow[]),
        })
      }),
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS)
        // What cannot be logged out expires by itself.
        connection.destroy(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}

const CLOSE_MS = 2_000

/** The driver retries by itself for up to two minutes whatever it is told, so each call has its own end. */
function bounded<T>(
  what: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  start: (done: (error: unknown, result: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
    const giveUp = (): void => {
      end()
      reject(new RetriableError('The task is stopping', { cause: signal.reason }))
    }
    const timer = setTimeout(() => {
      end()
      reject(new RetriableError(`Snowflake did not answer within ${timeoutMs} ms: ${what}`))
    }, timeoutMs)
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    start((error, result) => {
      end()
      if (error === undefined || error === null) resolve(result)
      else reject(sqlFailure(what, error))
    })
  })
}

/** Errors with an SQL state are Snowflake's answers; the others say that there was none. */
function sqlFailure(what: string, cause: unknown): Error {
  const { code, sqlState } = cause as { code?: unknown; sqlState?: unknown }
  const number = typeof code === 'number' || typeof code === 'string' ? Number(code) : Number.NaN
  if (typeof sqlState !== 'string' && !isLoginRefusal(number)) {
    return new RetriableError(`Snowflake does not answer: ${what}`, { cause })
  }
  return new SqlError(`Snowflake refused: ${what}`, {
    cause,
    code: Number.isNaN(number) ? undefined : number,
    sqlState: typeof sqlState === 'string' ? sqlState : undefined,
  })
}

/** 3901xx to 3904xx: wrong user, key, role, or a network policy. */
const isLoginRefusal = (code: number): boolean => code >= 390_100 && code < 390_500
