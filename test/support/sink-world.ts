// A sink task with everything around it in memory, on a clock that the test moves.
import { generateKeyPairSync } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { SinkTaskContext } from '../../connector/api/sink-task.ts'
import { SnowflakeSinkTask, type SinkTaskOutside } from '../../connector/snowflake/task.ts'
import { FakeClock, settled } from './fake-clock.ts'
import { FakeSinkWorker, FakeTopics } from './fake-sink-worker.ts'
import { FakeSnowpipe, type Row } from './fake-snowpipe.ts'

export const SINK_TOPIC = 'rides'
export const TOPIC_ID = 'dG9waWMtMQ'
const PRIVATE_KEY = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey

/** No SQL: rows are sent as they are. */
const PROPS = {
  'snowflake.url.name': 'http://127.0.0.1:1',
  'snowflake.user.name': 'MTA',
  'snowflake.private.key': PRIVATE_KEY,
  'snowflake.database.name': 'MTA',
  'snowflake.schema.name': 'RAW',
  'snowflake.autocreate.table.type': 'none',
  'snowflake.schema.evolution': 'none',
  'snowflake.streaming.linger.ms': '100',
  'snowflake.streaming.status.poll.ms': '200',
  'snowflake.streaming.commit.stall.ms': '20000',
  'snowflake.streaming.reopen.max': '100',
}

export class SinkWorld {
  readonly clock = new FakeClock({ nowMs: 1_700_000_000_000 })
  readonly topics = new FakeTopics()
  readonly snowpipe = new FakeSnowpipe()
  readonly props: Readonly<Record<string, string>>
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
  readonly #random: () => number
  #requests = 0

  constructor(options: {
    readonly partitions: number
    readonly props?: Readonly<Record<string, string>>
    readonly random?: () => number
  }) {
    this.props = { ...PROPS, ...options.props }
    this.#random = options.random ?? (() => 0.5)
    this.topics.create(SINK_TOPIC, TOPIC_ID, options.partitions)
    this.partitions = Array.from({ length: options.partitions }, (_, partition) => ({
      topic: SINK_TOPIC,
      partition,
    }))
  }

  /** A new task, not started. */
  worker(
    overrides: Partial<SinkTaskOutside> = {},
    metrics?: SinkTaskContext['metrics'],
  ): FakeSinkWorker {
    const task = new SnowflakeSinkTask({
      http: () => ({ send: this.snowpipe.send, close: () => {} }),
      sql: () => () => Promise.reject(new Error('There is no SQL here')),
      compressor: () => ({
        encoding: 'gzip',
        compress: (raw) => Promise.resolve(gzipSync(raw, { level: 1 })),
        decompress: gunzipSync,
      }),
      requestId: () => `request-${++this.#requests}`,
      sharesTables: false,
      ...overrides,
    })
    const { topics, props, clock } = this
    return new FakeSinkWorker({ task, topics, props, clock, random: this.#random, metrics })
  }

  produce(partition: number, count: number, gap = 0): void {
    for (let i = 0; i < count; i++) {
      this.topics.append(
        { topic: SINK_TOPIC, partition },
        (offset) => ({ value: { n: offset, text: `ride "${offset}"` } }),
        i === 0 ? gap : 0,
      )
    }
  }

  /** Lets `ms` pass and the worker turn once. */
  async turn(worker: FakeSinkWorker, ms = 50): Promise<void> {
    await this.clock.advance(ms)
    await worker.step(40)
    await settled()
  }

  offsetsProduced(partition: number): readonly number[] {
    return this.topics.log({ topic: SINK_TOPIC, partition }).records.map((r) => r.kafkaOffset)
  }

  rows(partition: number): readonly Row[] {
    return this.snowpipe.channels.get(`sink_${SINK_TOPIC}_${partition}`)?.committed ?? []
  }

  /** The offsets of the rows that are committed, in the order of the table. */
  offsetsStored(partition: number): readonly number[] {
    return this.rows(partition).map((row) => Number((row['RECORD_METADATA'] as Row)['offset']))
  }

  /** Turns until all is committed, with the service well; false when that does not happen. */
  async drains(worker: FakeSinkWorker, turns = 2_000): Promise<boolean> {
    for (let turn = 0; turn < turns; turn++) {
      await this.turn(worker, 100)
      if (turn % 3 === 0) this.snowpipe.commit()
      const isDone = this.partitions.every(
        ({ partition }) =>
          this.offsetsStored(partition).length >= this.offsetsProduced(partition).length,
      )
      if (isDone && worker.gauges.get('snowflake_sink_uncommitted_records') === 0) return true
    }
    return false
  }
}
