// The local Snowflake: one HTTP(S) listener for streaming, drivers and the catalog, one for the admin API, over
// a warehouse of Iceberg tables on disk.
import path from 'node:path'
import type { Clock, Random } from '../../api/clock.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import type { Warehouse } from '../iceberg/types.ts'
import { openWarehouse } from '../iceberg/warehouse.ts'
import { handleAdmin } from './admin.ts'
import { Authenticator, type LocalUser } from './auth.ts'
import { DriverApi, isDriverPath } from './driver/routes.ts'
import { ApiError } from './errors.ts'
import { Faults } from './faults.ts'
import type { Answer, Call } from './http.ts'
import { type Listener, listen } from './listener.ts'
import { handleRestCatalog, isRestCatalogPath } from './rest-catalog.ts'
import { SqlEngine } from './sql/sql-engine.ts'
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
  readonly log: PluginLogger
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
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly clock?: Clock
  readonly random?: Random
}

export interface LocalSnowflake {
  readonly url: string
  readonly adminUrl: string
  /** Commits what waits, then stops. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const TOKEN_TTL_MS = 3_600_000
const UNCOMMITTED_BYTES_MAX = 256 * 1_024 * 1_024
const TABLE_BYTES_MAX = 64 * 1_024 * 1_024
const BODIES_BYTES_MAX = 128 * 1_024 * 1_024
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
  const { clock = systemClock, random = Math.random, log } = options
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
  const { clock = systemClock, random = Math.random, log } = options
  const limits = options.limits === undefined ? SNOWFLAKE_LIMITS : options.limits
  const faults = new Faults(clock)
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
      errorLog: fileErrorLog(path.join(options.warehouse, '.snowflake', 'errors'), log),
      budget: new ByteBudget(UNCOMMITTED_BYTES_MAX),
      tableBudget: () => new ByteBudget(TABLE_BYTES_MAX),
      beforeCommit: (table) => faults.beforeCommit(table),
    },
    { random, timing: timingOf(options) },
  )
  const handle = router({ warehouse, ingests, auth, clock, log })
  const requestBytes = (limits ?? SNOWFLAKE_LIMITS).requestBytes
  const common = { host: options.host ?? HOST, log, budget: new ByteBudget(BODIES_BYTES_MAX) }
  const main = await listen({
    ...common,
    port: options.port ?? 0,
    tls: options.tls,
    faults,
    handle,
    bodyBytesMax: (target) => (target.endsWith('/rows') ? requestBytes : JSON_BYTES_MAX),
  })
  let admin: Listener
  try {
    admin = await listen({
      ...common,
      port: options.adminPort ?? 0,
      faults: undefined,
      handle: (call) => handleAdmin(call, { faults, ingests, auth, warehouse }),
      bodyBytesMax: () => JSON_BYTES_MAX,
    })
  } catch (error) {
    await main.close()
    throw error
  }
  return {
    url: main.url,
    adminUrl: admin.url,
    async close() {
      await Promise.all([main.close(), admin.close()])
      faults.clear()
      try {
        await ingests.close()
      } finally {
        await warehouse.close()
      }
    },
  }
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
}): (call: Call) => Promise<Answer> {
  const streaming = new StreamingApi(parts)
  const sql = new SqlEngine(parts, STATEMENT_LIMITS)
  const driver = new DriverApi({ ...parts, sql })
  return async (call) => {
    // The driver's own telemetry shares its prefix with the streaming SDK's.
    if (isStreamingPath(call.path)) return streaming.handle(call)
    if (isDriverPath(call.path)) return driver.handle(call)
    if (isRestCatalogPath(call.path)) return handleRestCatalog(call, parts.warehouse)
    throw new ApiError(404, 'ERR_NOT_FOUND', `There is no ${call.method} ${call.path}.`)
  }
}
