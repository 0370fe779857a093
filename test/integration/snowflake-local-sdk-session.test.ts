// A session of Snowflake's own Python SDK, request by request as it was recorded.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NewField } from '../../connector/local/iceberg/types.ts'
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/local/snowflake/system-clock.ts'
import { recordingLog } from '../support/recording-log.ts'
import { keyPairJwt, makeKey } from '../support/snowflake-keys.ts'
import { zstdStored } from '../support/zstd-stored.ts'

interface Exchange {
  readonly step: string
  readonly api: string
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly status: number
  readonly answer?: Readonly<Record<string, unknown>> | readonly string[]
}

const key = makeKey()
let folder: string
let snowflake: LocalSnowflake

const column = (name: string, type: string): NewField => ({ name, type, required: false })

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-local-'))
  const warehouse = await openWarehouse({
    folder,
    clock: systemClock,
    random: Math.random,
    log: recordingLog(),
    maintenance: {
      compactFiles: 16,
      smallFileBytes: 1_000_000,
      keepSnapshots: 100,
      keepMs: 1_000_000,
      orphanMs: 1_000_000,
    },
  })
  await warehouse.createDatabase('MTA')
  await warehouse.createSchema('MTA', 'RAW')
  await warehouse.createTable(
    { database: 'MTA', schema: 'RAW', table: 'VP' },
    [
      column('ID', 'long'),
      column('ROUTE_ID', 'string'),
      column('LAT', 'double'),
      column('EVENT_TS', 'timestamp'),
      column('FARE', 'decimal(10,2)'),
      column('OK', 'boolean'),
    ],
    {},
  )
  await warehouse.close()
  snowflake = await startLocalSnowflake({
    warehouse: folder,
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    log: recordingLog(),
    commitIntervalMs: 20,
  })
})

afterAll(async () => {
  await snowflake.close()
  await rm(folder, { recursive: true })
})

/** Sends recorded requests with this run's tokens in place of the recorded ones. */
class Replay {
  readonly #jwt: string
  #scoped = ''
  /** By channel and recorded token. */
  readonly #tokens = new Map<string, string>()

  constructor() {
    const nowMs = Date.now()
    // As the SDK does: milliseconds, and the role as a claim.
    const claims = { iat: nowMs, exp: nowMs + 3_540_000, scp: 'session:role:SYSADMIN' }
    this.#jwt = keyPairJwt(key, { user: 'PIPE', nowMs, claims })
  }

  async send(exchange: Exchange): Promise<{ status: number; text: string }> {
    const { method, query, headers, body, api } = exchange
    const isRows = api === 'rows' || api === 'elastic-rows'
    const token =
      headers['x-snowflake-authorization-token-type'] === 'OAUTH' ? this.#scoped : this.#jwt
    const parameters = new URLSearchParams(query)
    const recorded = query['continuationToken']
    if (recorded !== undefined)
      parameters.set(
        'continuationToken',
        this.#tokens.get(`${channelOf(exchange)} ${recorded}`) ?? '',
      )
    const response = await fetch(`${snowflake.url}${exchange.path}?${parameters.toString()}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body !== null && {
        body: isRows ? zstdStored(Buffer.from(bodyText(body))) : bodyText(body),
      }),
    })
    const text = await response.text()
    this.#learn(exchange, text)
    return { status: response.status, text }
  }

  #learn(exchange: Exchange, text: string): void {
    if (exchange.api === 'token') this.#scoped = text
    const { answer } = exchange
    if (answer === undefined || !('next_continuation_token' in answer)) return
    const next = (JSON.parse(text) as Record<string, unknown>)['next_continuation_token']
    this.#tokens.set(
      `${channelOf(exchange)} ${String(answer['next_continuation_token'])}`,
      String(next),
    )
  }
}

const bodyText = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))

const channelOf = (exchange: Exchange): string =>
  /\/channels\/([^/]+)/.exec(exchange.path)?.[1] ?? ''

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** Like the SDK: again while rows of the channel's former life are not committed. */
async function sendUntilSettled(
  replay: Replay,
  exchange: Exchange,
): Promise<{ status: number; text: string }> {
  for (;;) {
    const answer = await replay.send(exchange)
    const waits = answer.status === 409 && answer.text.includes('ERR_CHANNEL_HAS_UNCOMMITTED_DATA')
    if (!waits) return answer
    await pause()
  }
}

/** The keys that the SDK was given and this answer lacks, at any depth. */
function missingKeys(actual: unknown, recorded: unknown): readonly string[] {
  if (typeof recorded !== 'object' || recorded === null) return []
  const given = (actual ?? {}) as Readonly<Record<string, unknown>>
  if (Array.isArray(recorded)) return recorded.map(String).filter((name) => !(name in given))
  return Object.entries(recorded).flatMap(([name, inner]) =>
    name in given ? missingKeys(given[name], inner) : [name],
  )
}

/** What the SDK would not take of an answer. */
function problemsOf({ api, answer }: Exchange, text: string): readonly string[] {
  if (api === 'hostname') return text === '127.0.0.1' ? [] : [`host name ${text}`]
  if (api === 'token') return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? [] : [`token ${text}`]
  return missingKeys(JSON.parse(text), answer)
}

test('every request of the session gets the status and the fields that the SDK took', async () => {
  const file = path.join(import.meta.dirname, '../fixtures/snowpipe/sdk-1.9.1-session.json')
  const { exchanges } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly exchanges: readonly Exchange[]
  }
  const replay = new Replay()
  const seen: unknown[] = []
  for (const exchange of exchanges) {
    const { status, text } = await sendUntilSettled(replay, exchange)
    seen.push([exchange.step, exchange.api, status, problemsOf(exchange, text)])
  }
  expect(seen).toEqual(exchanges.map(({ step, api, status }) => [step, api, status, []]))
})
