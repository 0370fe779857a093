import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { recordingLog } from '../support/recording-log.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'
import { zstdStored } from '../support/zstd-stored.ts'

const key = makeKey()
const log = recordingLog()
let folder: string
let snowflake: LocalSnowflake
let driver: Driver
let client: StreamingClient
let channels = 0

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-local-'))
  snowflake = await startLocalSnowflake({
    warehouse: folder,
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    log,
    limits: null,
    commitIntervalMs: 20,
  })
  driver = await connectDriver({
    url: snowflake.url,
    user: 'PIPE',
    privateKeyPem: key.privateKeyPem,
  })
  await driver.execute('CREATE DATABASE DB')
  await driver.execute('CREATE SCHEMA S')
  await driver.execute('CREATE ICEBERG TABLE T (C STRING, N INT)')
  client = new StreamingClient({
    url: snowflake.url,
    path: { database: 'DB', schema: 'S', pipe: 'T-STREAMING' },
    key,
    user: 'PIPE',
    nowMs: Date.now(),
  })
})

afterAll(async () => {
  await driver.close()
  await snowflake.close()
  await rm(folder, { recursive: true })
})

beforeEach(async () => {
  await fetch(`${snowflake.adminUrl}/faults`, { method: 'DELETE' })
  await client.authenticate()
  channels++
})

const fault = async (body: object): Promise<void> => {
  const answer = await fetch(`${snowflake.adminUrl}/faults`, {
    method: 'POST',
    body: JSON.stringify(body),
  })
  if (answer.status !== 200) throw new Error(await answer.text())
}

const channelName = (): string => `c${channels}`
const tokenOf = (body: Readonly<Record<string, unknown>>): string =>
  String(body['next_continuation_token'])
const row = (n: number): string => `${JSON.stringify({ C: channelName(), N: n })}\n`
const openChannel = async (): Promise<string> => tokenOf((await client.open(channelName())).body)

const statusOf = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { body } = await client.status(channelName())
  return (body['channel_statuses'] as Record<string, Record<string, unknown>>)[channelName()] ?? {}
}
const committed = async (token: string): Promise<Readonly<Record<string, unknown>>> => {
  for (;;) {
    const status = await statusOf()
    if (status['last_committed_offset_token'] === token) return status
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
const numbers = async (): Promise<readonly unknown[]> =>
  (await driver.execute('SELECT N FROM T WHERE C = ? ORDER BY N', [channelName()])).map(
    (item) => item['N'],
  )

const openAt = async (database: string, schema: string, pipe: string): Promise<unknown> => {
  const target = `/v2/streaming/databases/${database}/schemas/${schema}/pipes/${pipe}/channels/c`
  const { status, body } = await client.request('PUT', target, {
    headers: client.scopedHeaders(),
    body: '{}',
  })
  return [status, body['code']]
}

const hostnameFor = async (agent: string): Promise<string> =>
  (
    await client.request('GET', '/v2/streaming/hostname', {
      headers: { ...client.keyPairHeaders(), 'user-agent': agent },
    })
  ).text

const get = async (target: string, method = 'GET'): Promise<[number, Record<string, unknown>]> => {
  const answer = await fetch(`${snowflake.url}/polaris/api/catalog${target}`, { method })
  const text = await answer.text()
  return [answer.status, (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>]
}

describe('faults', () => {
  test('a lost answer leaves the rows in once, when the request is repeated', async () => {
    const token = await openChannel()
    await fault({ kind: 'lost', match: { channel: channelName(), path: '/rows' } })
    const request = { channel: channelName(), token, rows: row(1), end: '1' }
    await expect(client.append(request)).rejects.toThrow('fetch failed')
    const repeated = await client.append(request)
    expect(repeated.status).toBe(200)
    const next = await client.append({
      ...request,
      token: tokenOf(repeated.body),
      rows: row(2),
      end: '2',
    })
    expect(next.status).toBe(200)
    await committed('2')
    expect(await numbers()).toEqual([1, 2])
  })

  test('statuses come as they were asked for, as often, and to the matching calls only', async () => {
    const token = await openChannel()
    const match = { channel: channelName() }
    await fault({ kind: 'status', match, count: 2 })
    await fault({ kind: 'gone', match })
    await fault({ kind: 'not-found', match })
    const seen: unknown[] = []
    for (let request = 0; request < 5; request++) {
      const { status, text } = await client.append({
        channel: channelName(),
        token,
        rows: row(1),
        end: '1',
      })
      seen.push([status, text.includes('ERR_GENERAL_EXCEPTION_RETRY_REQUEST') || text.slice(0, 4)])
      expect((await client.status('other')).status).toBe(200)
    }
    expect(seen).toEqual([
      [503, true],
      [503, true],
      [410, 'Gone'],
      [404, ''],
      [200, '{"st'],
    ])
  })

  test('a channel that is invalidated or opened by another refuses its old token', async () => {
    for (const kind of ['invalidate', 'zombie-open']) {
      const token = await openChannel()
      await fault({ kind, match: { channel: channelName() } })
      const refused = await client.append({ channel: channelName(), token, rows: row(1), end: '1' })
      expect([refused.status, refused.body['code']]).toEqual([
        400,
        'STALE_CONTINUATION_TOKEN_SEQUENCER',
      ])
    }
  })

  test('a channel that SQL invalidates says so and refuses its old token until it is opened again', async () => {
    const token = await openChannel()
    const name = channelName()
    const [row0] = await driver.execute(
      'SELECT SYSTEM$STREAMING_CHANNEL_INVALIDATE(\'DB.S."T-STREAMING"\', ?) AS ANSWER',
      [name],
    )
    expect(row0?.['ANSWER']).toContain('ERR_CHANNEL_MUST_BE_REOPENED')
    expect(await statusOf()).toMatchObject({ channel_status_code: 'ERR_CHANNEL_MUST_BE_REOPENED' })
    const refused = await client.append({ channel: name, token, rows: row(1), end: '1' })
    expect(refused.body['code']).toBe('STALE_CONTINUATION_TOKEN_SEQUENCER')
    await openChannel()
    expect(await statusOf()).toMatchObject({ channel_status_code: 'SUCCESS' })
    await expect(
      driver.execute("SELECT SYSTEM$STREAMING_CHANNEL_INVALIDATE('DB.S.NOPE', 'c')"),
    ).rejects.toMatchObject({ code: '002003' })
  })

  test('an invalid pipe opens with another status than SUCCESS and discards what it acknowledges', async () => {
    await fault({ kind: 'invalid-pipe', match: { table: 'DB.S.T' } })
    const opened = await client.open(channelName())
    expect(opened.status).toBe(200)
    expect(opened.body['channel_status']).toMatchObject({
      channel_status_code: 'ERR_PIPE_IN_INVALID_STATE',
    })
    const appended = await client.append({
      channel: channelName(),
      token: tokenOf(opened.body),
      rows: row(1),
      end: '1',
    })
    expect(appended.status).toBe(200)
    await fetch(`${snowflake.adminUrl}/faults`, { method: 'DELETE' })
    expect(await openChannel()).not.toBe('undefined')
    expect(await statusOf()).toMatchObject({
      channel_status_code: 'SUCCESS',
      last_committed_offset_token: null,
    })
  })

  test('expired tokens are refused with 401, and a new one is good', async () => {
    const token = await openChannel()
    await fault({ kind: 'expire-tokens' })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const request = { channel: channelName(), token, rows: row(1), end: '1' }
    expect((await client.append(request)).status).toBe(401)
    await client.authenticate()
    expect((await client.append(request)).status).toBe(200)
  })

  test('a frozen commit keeps the token where it was until it is let go', async () => {
    const token = await openChannel()
    await fault({ kind: 'freeze-commit', match: { table: 'DB.S.T' } })
    await client.append({ channel: channelName(), token, rows: row(1), end: '1' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await statusOf()).toMatchObject({ last_committed_offset_token: null })
    await fetch(`${snowflake.adminUrl}/faults`, { method: 'DELETE' })
    await committed('1')
  })

  test('refuses a fault that it does not know', async () => {
    await expect(fault({ kind: 'earthquake' })).rejects.toThrow('kind must be one of')
    await expect(fault({ kind: 'slow', ms: -1 })).rejects.toThrow('ms must be an integer')
  })
})

describe('requests', () => {
  test('are refused without Accept, without a token, with an unknown encoding, and above 4 MB', async () => {
    const token = await openChannel()
    const request = { channel: channelName(), token, rows: row(1), end: '1' }
    const encoded = await client.append({ ...request, headers: { 'content-encoding': 'br' } })
    expect(encoded.status).toBe(415)
    const anonymous = await client.append({ ...request, headers: { authorization: '' } })
    expect(anonymous.status).toBe(401)
    const large = await client.append({ ...request, rows: 'x'.repeat(4_000_001) })
    expect(large.status).toBe(413)
    const bomb = await client.append({
      ...request,
      rows: new Uint8Array(gzipSync(Buffer.alloc(80_000_000))),
      headers: { 'content-encoding': 'gzip' },
    })
    expect(bomb.status).toBe(413)
    expect((await client.append(request)).status).toBe(200)
  })

  test('are refused with an offset token of more than 1,024 bytes, and so is an open', async () => {
    const token = await openChannel()
    const long = 'é'.repeat(513)
    const request = { channel: channelName(), token, rows: row(1), end: '1' }
    const refused = await client.append({ ...request, end: long })
    expect([refused.status, refused.body['code']]).toEqual([400, 'ERR_INVALID_PAYLOAD'])
    const target = `/v2/streaming/databases/DB/schemas/S/pipes/T-STREAMING/channels/${channelName()}`
    const opened = await client.request('PUT', target, {
      headers: client.scopedHeaders(),
      body: JSON.stringify({ offset_token: long }),
    })
    expect([opened.status, opened.body['code']]).toEqual([400, 'ERR_INVALID_PAYLOAD'])
    expect((await client.append(request)).status).toBe(200)
  })

  test('are unpacked from gzip and zstd', async () => {
    const first = await client.append({
      channel: channelName(),
      token: await openChannel(),
      rows: new Uint8Array(gzipSync(row(1))),
      end: '1',
      headers: { 'content-encoding': 'gzip' },
    })
    await client.append({
      channel: channelName(),
      token: tokenOf(first.body),
      rows: zstdStored(Buffer.from(`${row(2)}\n`)),
      end: '2',
      headers: { 'content-encoding': 'zstd' },
    })
    await committed('2')
    expect(await numbers()).toEqual([1, 2])
  })

  test('for what is not there answer 404 with the code of what is missing', async () => {
    expect(await openAt('NO', 'S', 'T-STREAMING')).toEqual([
      404,
      'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
    expect(await openAt('DB', 'NO', 'T-STREAMING')).toEqual([
      404,
      'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
    expect(await openAt('db', 's', 'NO-STREAMING')).toEqual([
      404,
      'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
    expect(await openAt('db', '%22s%22', 't-streaming')).toEqual([
      404,
      'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
    ])
  })

  test('name the host as each kind of client needs it', async () => {
    const host = new URL(snowflake.url)
    expect(await hostnameFor('SnowpipeStreamingSDK/v1.9.1 (linux unix x86_64) PYTHON/3.11.7')).toBe(
      host.hostname,
    )
    expect(await hostnameFor('our-own/1.0')).toBe(host.host)
  })
})

describe('rows', () => {
  test('that the engine refuses although each value fits are found and counted', async () => {
    const token = await openChannel()
    const name = channelName()
    const lines = Array.from({ length: 50 }, (_, n) =>
      n === 33 ? `{"C":"${name}","N":33,"N":34}\n` : row(n),
    )
    await client.append({ channel: name, token, rows: lines.join(''), end: '49' })
    expect(await committed('49')).toMatchObject({
      rows_inserted: 49,
      rows_parsed: 50,
      rows_error_count: 1,
    })
    expect(await numbers()).toEqual(Array.from({ length: 50 }, (_, n) => n).filter((n) => n !== 33))
    const logged = await readFile(path.join(folder, '.snowflake', 'errors', 'DB.S.T.jsonl'), 'utf8')
    expect(logged).toContain(String.raw`\"N\":33,\"N\":34`)
    const errors = await driver.execute(
      'SELECT ERROR_CODE, ERROR_DATA, ERROR_METADATA FROM ERROR_TABLE(T)',
    )
    expect(errors).toEqual([
      {
        ERROR_CODE: null,
        ERROR_DATA: `{"C":"${name}","N":33,"N":34}\n`,
        ERROR_METADATA: expect.objectContaining({
          service: 'snowpipe_streaming',
          details: expect.objectContaining({
            channel_name: name,
            offset_token_upper_bound: '49',
            error_data_content_type: 'json',
          }),
        }),
      },
    ])
    expect((await driver.execute('SHOW DATABASES')).map((item) => item['name'])).toEqual(['DB'])
  })
})

describe('the driver', () => {
  test('sees Snowflake’s codes for what fails, and goes on', async () => {
    await expect(driver.execute('SELECT * FROM NOPE')).rejects.toMatchObject({
      code: '002003',
      sqlState: '42S02',
    })
    await expect(driver.execute('SELECT NOPE FROM T')).rejects.toMatchObject({ code: '000904' })
    await expect(driver.execute('CALL P()')).rejects.toMatchObject({ code: '000002' })
    expect(await driver.execute('SELECT CURRENT_VERSION() AS V, 1 AS "one"')).toEqual([
      { V: '9.99.0-embedded', one: 1 },
    ])
  })

  test('reads every type', async () => {
    await driver.execute(
      'CREATE TABLE U (B BOOLEAN, D DATE, TS TIMESTAMP_NTZ(6), TZ TIMESTAMP_LTZ(6), X BINARY, F FLOAT, M NUMBER(10,2), O OBJECT(a INT, b ARRAY(STRING)))',
    )
    const values = {
      B: false,
      D: '1969-12-31',
      TS: '1969-12-31T23:59:59.5',
      TZ: '2024-02-08T12:00:00.25Z',
      X: 'AQID',
      F: 'NaN',
      M: '-1.05',
      O: { a: 1, b: ['x', null] },
    }
    const users = new StreamingClient({
      url: snowflake.url,
      path: { database: 'DB', schema: 'S', pipe: 'U-STREAMING' },
      key,
      user: 'PIPE',
      nowMs: Date.now(),
    })
    await users.authenticate()
    const opened = await users.open('u')
    await users.append({
      channel: 'u',
      token: tokenOf(opened.body),
      rows: `${JSON.stringify(values)}\n`,
      end: '0',
    })
    let rows: readonly Readonly<Record<string, unknown>>[] = []
    while (rows.length === 0) rows = await driver.execute('SELECT * FROM U')
    const read = rows[0] ?? {}
    expect(read).toMatchObject({ B: false, M: -1.05, O: { a: 1, b: ['x', null] } })
    expect((read['D'] as Date).toISOString().slice(0, 10)).toBe('1969-12-31')
    expect((read['TS'] as Date).getTime()).toBe(-500)
    expect((read['TZ'] as Date).toISOString()).toBe('2024-02-08T12:00:00.250Z')
    expect(Buffer.from(read['X'] as Uint8Array).toString('hex')).toBe('010203')
    expect(read['F']).toBeNaN()
  })
})

describe('the Iceberg REST catalog', () => {
  test('shows a database as a warehouse, its schemas and tables, and takes no writes', async () => {
    const [, config] = await get('/v1/config?warehouse=DB')
    expect(config['overrides']).toEqual({ prefix: 'DB' })
    expect((await get('/v1/config?warehouse=NO'))[0]).toBe(404)
    expect((await get('/v1/DB/namespaces?parent='))[1]).toEqual({ namespaces: [['PUBLIC'], ['S']] })
    expect((await get('/v1/DB/namespaces?parent=S'))[1]).toEqual({ namespaces: [] })
    const [status, table] = await get('/v1/DB/namespaces/S/tables/T?snapshots=all')
    expect(status).toBe(200)
    expect(table['metadata-location']).toMatch(/T\/metadata\/v\d+\.metadata\.json$/)
    expect(table['metadata']).toMatchObject({ 'format-version': 2 })
    expect((await get('/v1/DB/namespaces/S/tables/T', 'HEAD'))[0]).toBe(204)
    expect((await get('/v1/DB/namespaces/S%1FT/tables/snapshots'))[1]).toMatchObject({
      error: { type: 'NoSuchTableException', code: 404 },
    })
    expect((await get('/v1/DB/namespaces/S/tables/T', 'POST'))[0]).toBe(403)
    expect((await get('/v1/DB/namespaces/S/tables/T', 'DELETE'))[0]).toBe(403)
  })
})
