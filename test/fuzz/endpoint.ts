// Random and spoilt requests against the local Snowflake. It must neither fall over nor hang, and what it commits must
// be exactly the rows and tokens that it acknowledged.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../connector/api/clock.ts'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { seeded } from '../chaos/random.ts'
import { recordingLog } from '../support/recording-log.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'
import { FuzzChannel, pick } from './endpoint-channel.ts'
import { Garbage } from './endpoint-garbage.ts'
import type { FuzzResult, FuzzRun } from './run.ts'

const CHANNELS = 6
const CHECK_EVERY = 1_000
const SETTLE_MS_MAX = 30_000
const VIOLATIONS_SHOWN = 20
const TABLE =
  'CREATE ICEBERG TABLE DB.S.T (C STRING NOT NULL, N INT, B BOOLEAN, D DATE, F DOUBLE, M NUMBER(10,2), T TIMESTAMP_NTZ(6), X BINARY, L ARRAY(INT))'

interface Stage {
  readonly snowflake: LocalSnowflake
  readonly driver: Driver
  readonly client: StreamingClient
  readonly log: ReturnType<typeof recordingLog>
  close(): Promise<void>
}

async function setUp(): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fuzz-endpoint-'))
  const key = makeKey()
  const log = recordingLog()
  const snowflake = await startLocalSnowflake({
    warehouse: folder,
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    log,
    limits: null,
    commitIntervalMs: 40,
    initSql: ['CREATE DATABASE DB', 'CREATE SCHEMA DB.S', TABLE],
  })
  const { url } = snowflake
  const driver = await connectDriver({ url, user: 'PIPE', privateKeyPem: key.privateKeyPem })
  await driver.execute('USE SCHEMA DB.S')
  const client = new StreamingClient({
    url,
    path: { database: 'DB', schema: 'S', pipe: 'T-STREAMING' },
    key,
    user: 'PIPE',
    nowMs: Date.now(),
  })
  await client.authenticate()
  return {
    snowflake,
    driver,
    client,
    log,
    close: async () => {
      await driver.close()
      await snowflake.close()
      await rm(folder, { recursive: true })
    },
  }
}

const same = (left: unknown, right: unknown): boolean =>
  JSON.stringify(left) === JSON.stringify(right)

/** Waits until everything is committed, and compares. */
async function compare(
  { driver, client }: Stage,
  channels: readonly FuzzChannel[],
  wrong: (what: string) => void,
): Promise<void> {
  for (const channel of channels) {
    const expected = channel.expected()
    let seen: readonly unknown[] = []
    for (let waited = 0; waited < SETTLE_MS_MAX && !same(seen, expected); waited += 20) {
      const { body } = await client.status(channel.name)
      const status = (body['channel_statuses'] as Record<string, Record<string, unknown>>)[
        channel.name
      ]
      seen = [
        status?.['last_committed_offset_token'] ?? null,
        status?.['rows_inserted'] ?? 0,
        status?.['rows_error_count'] ?? 0,
      ]
      if (!same(seen, expected)) await sleep(20)
    }
    if (!same(seen, expected))
      wrong(`status of ${channel.name} is ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`)
    const rows = await driver.execute('SELECT N FROM T WHERE C = ? ORDER BY N', [channel.name])
    const numbers = rows.map((row) => Number(row['N']))
    if (!same(numbers, channel.numbers()))
      wrong(`rows of ${channel.name} are ${numbers.length}, not ${channel.numbers().length}`)
  }
}

async function step(
  channels: readonly FuzzChannel[],
  garbage: Garbage,
  random: Random,
): Promise<void> {
  const channel = pick(channels, random)
  const kind = random()
  if (kind < 0.4) await channel.append()
  else if (kind < 0.5) await channel.repeat()
  else if (kind < 0.6) await channel.refused(pick(['e30', 'WyJjMCIsMSwxLCJ4Il0', '%'], random))
  else if (kind < 0.63) await channel.open()
  else if (kind < 0.64) await channel.drop()
  else if (kind < 0.78) await garbage.spoiltBody()
  else if (kind < 0.93) await garbage.request()
  else await garbage.token()
}

/** `npm run fuzz -- endpoint`. */
export async function fuzzEndpoint({ cases, seed, say }: FuzzRun): Promise<FuzzResult> {
  const random = seeded(seed)
  const stage = await setUp()
  let violations = 0
  const wrong = (what: string): void => {
    violations++
    if (violations <= VIOLATIONS_SHOWN) say(`wrong: ${what}`)
  }
  const channels = Array.from(
    { length: CHANNELS },
    (_, index) => new FuzzChannel(`c${index}`, stage.client, random, wrong),
  )
  const garbage = new Garbage(stage.client, random, wrong)
  const beganMs = Date.now()
  try {
    for (let done = 0; done < cases; done++) {
      await step(channels, garbage, random).catch((error: unknown) => {
        wrong(`case ${done} got no answer: ${String(error)}`)
      })
      if ((done + 1) % CHECK_EVERY === 0 || done + 1 === cases)
        await compare(stage, channels, wrong)
    }
    for (const line of stage.log.lines.filter(({ level }) => level === 'error'))
      wrong(`logged: ${JSON.stringify(line)}`)
  } finally {
    await stage.close()
  }
  const rows = channels.reduce((sum, channel) => sum + channel.numbers().length, 0)
  const seconds = (Date.now() - beganMs) / 1_000
  return {
    summary: `endpoint: ${cases} cases in ${seconds.toFixed(1)} s, ${rows} rows in ${CHANNELS} channels compared one by one, ${violations} violations`,
    violations,
  }
}
