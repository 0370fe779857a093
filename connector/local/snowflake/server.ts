// The local Snowflake: one HTTP(S) listener for streaming, drivers and the catalog, one for the admin API, over
// a warehouse of Iceberg tables on disk.
import path from 'node:path'
import type { Clock, Random } from '../../api/clock.ts'
import { ConfigError, toMessage } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import type { Warehouse } from '../iceberg/types.ts'
import { openWarehouse } from '../iceberg/warehouse.ts'
import { handleAdmin } from './admin.ts'
import { Authenticator, type LocalUser } from './auth.ts'
import { DriverApi, isDriverPath } from './driver/routes.ts'
import { ApiError } from './errors.ts'
import { Faults } from './faults.ts'
import type { Answer, Call, Handler } from './http.ts'
import { type Listener, listen } from './listener.ts'
import { handleRestCatalog, isRestCatalogPath } from './rest-catalog.ts'
import { errorTableFunction } from './sql/error-table.ts'
import type { Session } from './sql/session.ts'
import { SqlObjects } from './sql/objects.ts'
import { SqlEngine } from './sql/sql-engine.ts'
import { isStagePath, Stage } from './stage/stage.ts'
import { stageSecret } from './stage/stage-secret.ts'
import { ByteBudget } from './streaming/byte-budget.ts'
import { PROFILES } from './streaming/commit-loop.ts'
import { fileErrorLog } from './streaming/error-log.ts'
import { Ingests } from './streaming/ingests.ts'
import { isStreamingPath, StreamingApi } from './streaming/routes.ts'
import { systemClock } from './system-clock.ts'

/** Snowflake's limits per channel, and on a request's size on the wire. */
export interface LocalLimits {
  readonly requestBytes: number
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
}

export const SNOWFLAKE_LIMITS: LocalLimits = {
  requestBytes: 4_000_000,
  requestsPerSecond: 10,
  bytesPerSecond: 20_000_000,
}

export interface LocalSnowflakeOptions {
  /** Folder of the warehouse; made when it is not there, refused when another process has it. */
  readonly warehouse: string
  readonly users: readonly LocalUser[]
  /** @default nowhere */
  readonly log?: PluginLogger
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0: any free port. @default 0 */
  readonly port?: number
  /** @default 0 */
  readonly adminPort?: number
  /** `fast` commits within a second, `realistic` after 5 to 9 as Snowflake does. @default 'fast' */
  readonly profile?: 'fast' | 'realistic'
  /** Commits this long after the first row instead of as `profile` says. */
  readonly commitIntervalMs?: number
  /** Null: no pacing per channel; the request size stays limited. @default SNOWFLAKE_LIMITS */
  readonly limits?: LocalLimits | null
  /** How long scoped tokens are good for. @default 3_600_000 */
  readonly tokenTtlMs?: number
  /** PEM. The port then speaks HTTPS; `keepCertificates` makes what it needs. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** With `tls`, a second port that speaks HTTP; 0: any free one. */
  readonly httpPort?: number
  /** Statements run before the first client is answered, e.g. `CREATE DATABASE IF NOT EXISTS DB`. */
  readonly initSql?: readonly string[]
  readonly clock?: Clock
  readonly random?: Random
}

export interface LocalSnowflake {
  readonly url: string
  /** Only with `httpPort`. */
  readonly httpUrl: string | undefined
  readonly adminUrl: string
  /** Commits what waits, then stops. */
  close(): Promise<void>
}

const nothing = (): void => undefined
const SILENT: PluginLogger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}
const HOST = '127.0.0.1'
const TOKEN_TTL_MS = 3_600_000
const UNCOMMITTED_BYTES_MAX = 256 * 1_024 * 1_024
const TABLE_BYTES_MAX = 64 * 1_024 * 1_024
const BODIES_BYTES_MAX = 128 * 1_024 * 1_024
const STAGE_FILE_BYTES_MAX = 64 * 1_024 * 1_024
const JSON_BYTES_MAX = 16 * 1_024 * 1_024
const STATEMENT_LIMITS = { timeoutMs: 60_000, rowsMax: 100_000 }
const MAINTENANCE = {
  compactFiles: 16,
  smallFileBytes: 64 * 1_024 * 1_024,
  keepSnapshots: 100,
  keepMs: 3_600_000,
  orphanMs: 3_600_000,
}

/** Starts the endpoint. @throws ConnectError, ConfigError when the folder or a port is taken. */
export async function startLocalSnowflake(options: LocalSnowflakeOptions): Promise<LocalSnowflake> {
  const { clock = systemClock, random = Math.random, log = SILENT } = options
  const warehouse = await openWarehouse({
    folder: options.warehouse,
    clock,
    random,
    log,
    maintenance: MAINTENANCE,
  })
  try {
    return await serve(warehouse, options)
  } catch (error) {
    await warehouse.close()
    throw error
  }
}

/** Serves a warehouse that is open already, and closes it at the end. */
export async function serve(
  warehouse: Warehouse,
  options: LocalSnowflakeOptions,
): Promise<LocalSnowflake> {
  const { clock = systemClock, random = Math.random, log = SILENT } = options
  const limits = options.limits === undefined ? SNOWFLAKE_LIMITS : options.limits
  const faults = new Faults(clock)
  const errors = path.resolve(options.warehouse, '.snowflake', 'errors')
  const auth = new Authenticator({
    users: options.users,
    clock,
    scopedTtlMs: options.tokenTtlMs ?? TOKEN_TTL_MS,
  })
  const ingests = new Ingests(
    {
      warehouse,
      clock,
      log,
      limits: limits ?? undefined,
      errorLog: fileErrorLog(errors, log),
      budget: new ByteBudget(UNCOMMITTED_BYTES_MAX),
      tableBudget: () => new ByteBudget(TABLE_BYTES_MAX),
      beforeCommit: (table) => faults.beforeCommit(table),
    },
    { random, timing: timingOf(options) },
  )
  const secretFile = path.join(options.warehouse, '.snowflake', 'stage.key')
  const stage = new Stage({ secret: await stageSecret(secretFile), clock })
  const objects = await SqlObjects.open(path.join(options.warehouse, '.snowflake', 'objects.json'))
  const registerKey = (name: string, publicKeyPem: string): void =>
    auth.register({ name, publicKeyPem })
  for (const user of objects.objects('USER')) {
    const key = user.options['RSA_PUBLIC_KEY']
    if (key !== undefined) registerKey(user.name, key)
  }
  const tableFunction = errorTableFunction(warehouse, errors)
  const context = { warehouse, ingests, clock, objects, registerKey, tableFunction }
  const sql = new SqlEngine(context, STATEMENT_LIMITS)
  await runInitSql(sql, options)
  const listeners = await listenAll(options, {
    faults,
    route: (tlsPort) => router({ warehouse, ingests, auth, clock, log, stage, sql, tlsPort }),
    admin: (call) => handleAdmin(call, { faults, ingests, auth, warehouse }),
  })
  return {
    ...listeners,
    async close() {
      await listeners.close()
      faults.clear()
      try {
        await ingests.close()
      } finally {
        await warehouse.close()
      }
    },
  }
}

/** The main port, the admin port and, when asked for, plain HTTP beside HTTPS: all of them or none. */
async function listenAll(
  options: LocalSnowflakeOptions,
  parts: {
    readonly faults: Faults
    readonly route: (tlsPort: () => number | undefined) => Handler
    readonly admin: Handler
  },
): Promise<LocalSnowflake> {
  const { tls, log = SILENT } = options
  let port: number | undefined
  const common = {
    host: options.host ?? HOST,
    log,
    budget: new ByteBudget(BODIES_BYTES_MAX),
    faults: undefined,
  }
  const main = {
    ...common,
    faults: parts.faults,
    handle: parts.route(() => (tls === undefined ? undefined : port)),
    bodyBytesMax: bodyBytesMax((options.limits ?? SNOWFLAKE_LIMITS).requestBytes),
  }
  const admin = { ...common, handle: parts.admin, bodyBytesMax: () => JSON_BYTES_MAX }
  const listeners: Listener[] = []
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()))
  }
  try {
    listeners.push(await listen({ ...main, port: options.port ?? 0, tls }))
    port = Number(new URL(listeners[0]?.url ?? '').port)
    listeners.push(await listen({ ...admin, port: options.adminPort ?? 0 }))
    if (tls !== undefined && options.httpPort !== undefined)
      listeners.push(await listen({ ...main, port: options.httpPort }))
  } catch (error) {
    await close()
    throw error
  }
  const [url = '', adminUrl = '', httpUrl] = listeners.map((listener) => listener.url)
  return { url, adminUrl, httpUrl, close }
}

async function runInitSql(sql: SqlEngine, options: LocalSnowflakeOptions): Promise<void> {
  const session: Session = {
    id: 0,
    user: options.users[0]?.name.toUpperCase() ?? 'SYSTEM',
    database: undefined,
    schema: undefined,
    role: 'SYSADMIN',
    warehouse: undefined,
  }
  const { signal } = new AbortController()
  for (const statement of options.initSql ?? [])
    try {
      await sql.execute({ sql: statement, binds: {}, session, signal })
    } catch (error) {
      throw new ConfigError(`initSql failed at ${statement}: ${toMessage(error)}`, { cause: error })
    }
}

/** Rows are limited as Snowflake limits them; clients upload larger files to the stage. */
const bodyBytesMax =
  (requestBytes: number) =>
  (target: string): number => {
    if (isStagePath(target)) return STAGE_FILE_BYTES_MAX
    return target.endsWith('/rows') ? requestBytes : JSON_BYTES_MAX
  }

const timingOf = ({
  commitIntervalMs,
  profile,
}: LocalSnowflakeOptions): (typeof PROFILES)['fast'] =>
  commitIntervalMs === undefined
    ? PROFILES[profile ?? 'fast']
    : { intervalMs: commitIntervalMs, delayMs: () => commitIntervalMs }

function router(parts: {
  warehouse: Warehouse
  ingests: Ingests
  auth: Authenticator
  clock: Clock
  log: PluginLogger
  stage: Stage
  tlsPort: () => number | undefined
  sql: SqlEngine
}): (call: Call) => Promise<Answer> {
  const streaming = new StreamingApi(parts)
  const driver = new DriverApi(parts)
  return async (call) => {
    // The driver's own telemetry shares its prefix with the streaming SDK's.
    if (isStreamingPath(call.path)) return streaming.handle(call)
    if (isDriverPath(call.path)) return driver.handle(call)
    if (isStagePath(call.path)) return parts.stage.handle(call)
    if (isRestCatalogPath(call.path)) return handleRestCatalog(call, parts.warehouse)
    throw new ApiError(404, 'ERR_NOT_FOUND', `There is no ${call.method} ${call.path}.`)
  }
}
