import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../support/fake-clock.ts'
import { AppendQueue } from '../../../connector/snowflake/append-queue.ts'
import type { RawBatch } from '../../../connector/snowflake/batch.ts'
import { connectionTo } from '../../../connector/snowflake/connection.ts'
import { parseSinkConfig } from '../../../connector/snowflake/config.ts'
import { FakeSnowpipe } from '../../support/fake-snowpipe.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'

const { signal } = new AbortController()
const PIPE = { database: 'MTA', schema: 'RAW', pipe: 'RIDES-STREAMING' }

/** Rows of offsets 5 and 6. */
function rows(): RawBatch {
  const raw = Buffer.from('{}\n{}\n')
  const batch = { rawBytes: 6, ends: [3, 6], offsets: [5, 6], firstOffset: 5, lastOffset: 6 }
  return { raw, batch: { ...batch, oldestMs: 0 } }
}

async function queueOf(snowpipe: FakeSnowpipe) {
  const clock = new FakeClock({ nowMs: 1_700_000_000_000 })
  const config = parseSinkConfig({ ...new SinkWorld({ partitions: 1 }).props, topics: SINK_TOPIC })
  const urls: URL[] = []
  const { client } = connectionTo(config, {
    send: (request) => {
      const url = new URL(request.url)
      if (url.pathname.endsWith('/rows')) urls.push(url)
      return snowpipe.send(request)
    },
    clock,
    requestId: () => 'account',
    userAgent: 'test',
    timeoutMs: 1_000,
  })
  const attempt = { id: 'open', retries: 0 }
  const opened = await client.open(PIPE, 'c', { failOnUncommittedRows: true, attempt, signal })
  let ids = 0
  const queue = new AppendQueue({
    name: 'c',
    pipe: PIPE,
    client,
    clock,
    requestId: () => `id-${++ids}`,
    compressor: {
      encoding: 'gzip',
      compress: (raw) => Promise.resolve(raw),
      decompress: (body) => body,
    },
    settings: { requestBytesMax: 1_000, requestsPerSecond: 10, bytesPerSecond: 1_000 },
  })
  const { continuationToken } = opened
  const send = () => queue.send({ continuationToken, token: String, signal })
  return { queue, urls, send }
}

describe('AppendQueue', () => {
  test('repeats a request of unknown fate under the same id, counting', async () => {
    const snowpipe = new FakeSnowpipe()
    const { queue, urls, send } = await queueOf(snowpipe)
    queue.push(rows(), () => {})
    snowpipe.faults.push({ match: '/rows', fault: { kind: 'unsent' } })
    await expect(send()).rejects.toThrow('The connection was reset')
    snowpipe.faults.push({ match: '/rows', fault: { kind: 'unsent' } })
    await expect(send()).rejects.toThrow('The connection was reset')
    const seen = urls.map(({ searchParams }) => [
      searchParams.get('requestId'),
      searchParams.get('retryCount'),
    ])
    expect(seen).toEqual([
      ['id-1', '0'],
      ['id-1', '1'],
    ])
  })

  test('takes an offset for its own only once the request with it is out', async () => {
    const snowpipe = new FakeSnowpipe()
    const { queue, send } = await queueOf(snowpipe)
    expect(queue.covers()).toBe(false)
    queue.push(rows(), () => {})
    expect([queue.covers(), queue.covers(5)]).toEqual([false, false])
    snowpipe.faults.push({ match: '/rows', fault: { kind: 'unsent' } })
    await expect(send()).rejects.toThrow('The connection was reset')
    expect([4, 5, 6, 7].map((offset) => queue.covers(offset))).toEqual([false, true, true, false])
    expect(queue.covers()).toBe(true)
  })
})
