import { createCipheriv, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../../../connector/local/snowflake/errors.ts'
import type { Call } from '../../../../../connector/local/snowflake/http.ts'
import { decodeAwsChunks } from '../../../../../connector/local/snowflake/stage/aws-chunks.ts'
import {
  parseFragments,
  readFragments,
} from '../../../../../connector/local/snowflake/stage/file-buffer.ts'
import { Stage, type StageLocation } from '../../../../../connector/local/snowflake/stage/stage.ts'
import { FakeClock } from '../../../../support/fake-clock.ts'
import { zstdStored } from '../../../../support/zstd-stored.ts'

const chunked = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap((part) => [
      Buffer.from(`${part.byteLength.toString(16)}\r\n`),
      part,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'),
  ])

const secret = randomBytes(32)
const makeStage = (clock = new FakeClock({ nowMs: 1_000_000 })): Stage =>
  new Stage({ secret, clock })

const put = (location: StageLocation, name: string, body: Uint8Array, token?: string): Call => ({
  method: 'PUT',
  path: `/stage/${location.prefix}${name}`,
  query: new URLSearchParams(),
  headers: {
    'content-encoding': 'aws-chunked',
    'x-amz-security-token': token ?? location.token,
  },
  body: chunked(body),
  signal: new AbortController().signal,
})

const statusOf = async (call: () => unknown): Promise<unknown> => {
  try {
    await call()
    return 'none'
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code}`
    throw error
  }
}

/** An uploaded file of `rows`, and the fragment that registers it. */
function upload(stage: Stage, rows: string): Record<string, unknown> {
  const location = stage.newLocation('DB/S')
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-ctr', location.pipeKey, iv)
  const bytes = cipher.update(zstdStored(Buffer.from(rows)))
  const { headers } = stage.handle(put(location, '0.ndjson', bytes))
  return {
    file_path: `stage/${location.prefix}0.ndjson`,
    file_etag: String(headers?.['etag']).replaceAll('"', ''),
    fragment_start_byte_offset: 0,
    fragment_length_bytes: bytes.byteLength,
    fragment_start_offset_token: '1',
    fragment_end_offset_token: '2',
    iv_base64: iv.toString('base64'),
    encryption_version: 'AES-CTR-128.1',
  }
}

const parse = (...fragments: readonly object[]): ReturnType<typeof parseFragments> =>
  parseFragments(Buffer.from(JSON.stringify(fragments)))

describe('aws-chunked', () => {
  test('gives back the content, and refuses what is cut anywhere before its last chunk', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 99 })),
        fc.nat(),
        (parts, n) => {
          const body = chunked(...parts)
          expect(Buffer.from(decodeAwsChunks(body))).toEqual(Buffer.concat(parts))
          const end = body.lastIndexOf('0\r\nx-amz')
          expect(() => decodeAwsChunks(body.subarray(0, n % (end + 1)))).toThrow('aws-chunked')
        },
      ),
    )
  })
})

describe('the stage', () => {
  test('keeps what is uploaded until it is registered, readable with the key of its prefix', async () => {
    const stage = makeStage()
    const first = upload(stage, '{"N":1}\n')
    const second = upload(stage, '{"N":2}\n')
    const rows = await readFragments(stage, parse(first, second))
    expect(Buffer.from(rows).toString()).toBe('{"N":1}\n{"N":2}\n')
    stage.remove(String(first['file_path']))
    expect(await statusOf(() => readFragments(stage, parse(first)))).toBe('400 ERR_INVALID_PAYLOAD')
  })

  test('takes uploads to a prefix that it gave in an earlier life', () => {
    const location = makeStage().newLocation('DB/S')
    expect(makeStage().handle(put(location, '0.ndjson', Buffer.from('x'))).status).toBe(200)
  })

  test('takes nothing below a prefix without its token, and no other method than PUT', async () => {
    const stage = makeStage()
    const location = stage.newLocation('DB/S')
    const other = stage.newLocation('DB/S')
    const call = put(location, '0.ndjson', Buffer.from('x'))
    expect(await statusOf(() => stage.handle({ ...call, method: 'GET' }))).toBe(
      '405 MethodNotAllowed',
    )
    expect(await statusOf(() => stage.handle({ ...call, headers: {} }))).toBe('403 AccessDenied')
    const stolen = put(location, '0.ndjson', Buffer.from('x'), other.token)
    expect(await statusOf(() => stage.handle(stolen))).toBe('403 AccessDenied')
  })

  test('tells clients to slow down when it is full, and lets go what nobody registered for minutes', async () => {
    const clock = new FakeClock({ nowMs: 1_000_000 })
    const stage = makeStage(clock)
    const location = stage.newLocation('DB/S')
    const large = Buffer.alloc(60_000_000)
    for (let n = 0; n < 4; n++) stage.handle(put(location, `${n}`, large))
    expect(await statusOf(() => stage.handle(put(location, '4', large)))).toBe('503 SlowDown')
    expect(stage.handle(put(location, '3', large)).status).toBe(200)
    await clock.advance(300_001)
    expect(stage.handle(put(location, '4', large)).status).toBe(200)
    expect(stage.get(`stage/${location.prefix}0`)).toBeUndefined()
    expect(stage.get(`stage/${location.prefix}3`)).toBeDefined()
  })

  test('refuses registrations of another file, of too many bytes and of another encryption', async () => {
    const stage = makeStage()
    const good = upload(stage, '{"N":1}\n')
    for (const change of [
      { file_etag: 'other' },
      { fragment_length_bytes: 10_000 },
      { fragment_start_byte_offset: -1 },
      { iv_base64: 'AAAA' },
      { encryption_version: 'none' },
      { content_type: 'application/parquet' },
      { fragment_end_offset_token: 7 },
      { fragment_start_offset_token: 'x'.repeat(1_025) },
    ])
      expect([
        change,
        await statusOf(() => readFragments(stage, parse({ ...good, ...change }))),
      ]).toEqual([change, '400 ERR_INVALID_PAYLOAD'])
    for (const body of ['', '{}', '[]', '[null]', '[1]'])
      expect(await statusOf(() => parseFragments(Buffer.from(body)))).toBe(
        '400 ERR_INVALID_PAYLOAD',
      )
  })
})
