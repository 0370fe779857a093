// What all rounds of in-process faults share: the endpoint, the hosts in front of it, a session that counts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { type SinkGateway, startSinkGateway } from '../support/sink-gateway.ts'
import { connectDriver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'

export interface PartitionCount {
  readonly partition: number
  readonly rows: number
  readonly distinct: number
  readonly max: number
  /** Rows whose payload is the one of their offset. */
  readonly right: number
}

export interface FaultStage {
  readonly gateway: SinkGateway
  fault(body: Readonly<Record<string, unknown>>): Promise<void>
  clearFaults(): Promise<void>
  props(topic: string, table: string): Readonly<Record<string, string>>
  count(table: string): Promise<readonly PartitionCount[]>
  /** Rows whose column is not null; 0 when there is no such column. */
  filled(table: string, column: string): Promise<number>
  close(): Promise<void>
}

const USER = 'CHAOS'
const SCHEMA = 'MTA.CHAOS'
/** Shorter than anybody would set them, so that a round takes seconds. */
const TIMES = {
  'snowflake.streaming.linger.ms': '20',
  'snowflake.streaming.status.poll.ms': '60',
  'snowflake.streaming.idle.poll.ms': '1000',
  'snowflake.streaming.request.timeout.ms': '1500',
  'snowflake.streaming.retry.backoff.max.ms': '300',
  'snowflake.streaming.commit.stall.ms': '2000',
  'snowflake.streaming.uncommitted.timeout.ms': '2000',
}
const COMMIT_MS = 120
const ADMIN_LIMIT_MS = 30_000
const CONFLICT = 409

export async function setFaultStage(): Promise<FaultStage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-faults-'))
  const key = makeKey()
  const endpoint = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: USER, publicKeyPem: key.publicKeyPem }],
    commitIntervalMs: COMMIT_MS,
    clock: systemClock,
  })
  const gateway = await startSinkGateway(endpoint.url)
  const driver = await connectDriver({ ...endpoint, user: USER, privateKeyPem: key.privateKeyPem })
  const faults = async (method: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${endpoint.adminUrl}/faults`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(ADMIN_LIMIT_MS),
    })
    // Who is opening that channel at this moment fences as well.
    if (!answer.ok && answer.status !== CONFLICT)
      throw new Error(`${method} /faults: ${await answer.text()}`)
  }
  return {
    gateway,
    fault: (body) => faults('POST', body),
    clearFaults: () => faults('DELETE'),
    props: (topic, table) => ({
      'snowflake.url.name': gateway.url,
      'snowflake.account.name': 'LOCAL',
      'snowflake.user.name': USER,
      'snowflake.role.name': 'SYSADMIN',
      'snowflake.private.key': key.privateKeyPem,
      'snowflake.database.name': 'MTA',
      'snowflake.schema.name': 'CHAOS',
      'snowflake.topic2table.map': `${topic}:${table}`,
      'snowflake.autocreate.table.type': 'iceberg',
      ...TIMES,
    }),
    count: async (table) => {
      const offset = 'RECORD_METADATA:offset::INT'
      const partition = 'RECORD_METADATA:partition::INT'
      const rows = await driver.execute(
        `SELECT ${partition} AS P, COUNT(*) AS N, COUNT(DISTINCT ${offset}) AS D, MAX(${offset}) AS HIGH, SUM(CASE WHEN PAYLOAD = 'p' || ${partition}::STRING || '-s' || ${offset}::STRING THEN 1 ELSE 0 END) AS R FROM ${SCHEMA}.${table} GROUP BY 1 ORDER BY 1`,
      )
      return rows.map((row) => ({
        partition: Number(row['P']),
        rows: Number(row['N']),
        distinct: Number(row['D']),
        max: Number(row['HIGH']),
        right: Number(row['R']),
      }))
    },
    filled: async (table, column) => {
      const [row] = await driver.execute(`SELECT COUNT(${column}) AS N FROM ${SCHEMA}.${table}`)
      return Number(row?.['N'])
    },
    close: async () => {
      await driver.close()
      await gateway.close()
      await endpoint.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
