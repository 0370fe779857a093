// Snowflake's own SDK as the other writer of the sink's channel: whoever opened it last may write, and nobody else.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../connector/runtime/clock.ts'
import { SnowflakeSinkTask } from '../../connector/snowflake/task.ts'
import { FakeSinkWorker, FakeTopics } from '../support/fake-sink-worker.ts'
import type { LineProgram } from '../support/line-program.ts'
import { isDrained, turnUntil } from '../support/local-sink.ts'
import { describeWithModule } from '../support/python-module.ts'
import { encodedAvro } from '../support/sink-records.ts'
import { makeSdkStage, ROWSET_MODE, type SdkStage } from '../support/snowpipe-sdk.ts'

const TOPIC = 'zombie'
const TP = { topic: TOPIC, partition: 0 }
const TOPIC_ID = 'em9tYmllLXRvcGljLWlkIQ'
const CHANNEL = 'sink_zombie_0'
const row = encodedAvro(
  {
    type: 'record',
    name: 'Z',
    fields: [
      { name: 'c', type: 'string' },
      { name: 'n', type: 'int' },
      { name: 'pad', type: 'string' },
    ],
  },
  1,
)
const upTo = (end: number): readonly number[] => Array.from({ length: end }, (_, n) => n)

describeWithModule('snowflake.ingest.streaming', 'the SDK and the sink on one channel', () => {
  let stage: SdkStage
  let sdk: LineProgram
  let topics: FakeTopics
  let worker: FakeSinkWorker | undefined

  beforeEach(async () => {
    stage = await makeSdkStage()
    sdk = stage.program()
    topics = new FakeTopics()
    topics.create(TOPIC, TOPIC_ID, 1)
  })
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await stage.close()
  })

  const produce = (count: number): void => {
    for (let i = 0; i < count; i++) {
      topics.append(TP, (n) => ({ encodedValue: row({ c: CHANNEL, n, pad: 'sink' }) }))
    }
  }

  async function startSink(props: Readonly<Record<string, string>> = {}): Promise<FakeSinkWorker> {
    worker = new FakeSinkWorker({
      task: new SnowflakeSinkTask(),
      topics,
      props: {
        'snowflake.url.name': stage.snowflake.httpUrl ?? '',
        'snowflake.account.name': 'LOCAL',
        'snowflake.user.name': 'PIPE',
        'snowflake.private.key': stage.privateKeyPem,
        'snowflake.database.name': 'DB',
        'snowflake.schema.name': 'S',
        'snowflake.topic2table.map': `${TOPIC}:Z`,
        'snowflake.streaming.linger.ms': '20',
        'snowflake.streaming.status.poll.ms': '100',
        'snowflake.streaming.idle.poll.ms': '1000',
        ...props,
      },
      clock: systemClock,
      random: Math.random,
    })
    await worker.start([TP])
    return worker
  }

  /** The table and the channel are there, with ten rows of the sink, which is gone then. */
  async function startWithTen(): Promise<void> {
    produce(10)
    const first = await startSink()
    await turnUntil([first])
    await first.stop()
    worker = undefined
  }

  /** What the SDK says goes to the same table. */
  async function openSdk(client = 'zombie'): Promise<{ client: string; channels: string[] }> {
    await sdk.run({ ...stage.client(client, ROWSET_MODE), pipe: 'Z-STREAMING' })
    const channel = { client, channels: [CHANNEL] }
    await sdk.run({ op: 'open', ...channel })
    return channel
  }

  const stored = async (): Promise<readonly (readonly [number, string])[]> =>
    (await stage.driver.execute('SELECT N, PAD FROM Z ORDER BY N')).map((r) => [
      Number(r['N']),
      String(r['PAD']),
    ])
  const numbers = async (): Promise<readonly number[]> => (await stored()).map(([n]) => n)

  test('the sink fences an SDK that was there before, and goes on after what that had committed', async () => {
    await startWithTen()
    const zombie = await openSdk()
    await sdk.run({ op: 'append', ...zombie, start: 10, end: 19, pad: 'sdk' })
    await sdk.run({ op: 'commit', ...zombie, token: '19' })
    produce(20)
    const second = await startSink()
    await turnUntil([second])
    expect(await numbers()).toEqual(upTo(30))
    const before = await stored()
    expect(before.filter(([, pad]) => pad === 'sdk').map(([n]) => n)).toEqual(upTo(20).slice(10))

    await sdk.run({ op: 'append', ...zombie, start: 30, end: 39, pad: 'late' })
    const flushed = await sdk.ask({ op: 'flush', client: zombie.client })
    expect(flushed.error?.text).toContain('STALE_CONTINUATION_TOKEN_SEQUENCER')
    const refused = await sdk.ask({ op: 'append', ...zombie, start: 40, end: 49, pad: 'late' })
    expect(refused.error?.status).toBe(409)
    produce(10)
    await turnUntil([second])
    expect(await numbers()).toEqual(upTo(40))
    expect((await stored()).filter(([, pad]) => pad === 'late')).toEqual([])
    expect(second.health).toBeNull()
  }, 120_000)

  test('what an SDK has sent and not committed when the sink takes over is stored once, whoever writes it', async () => {
    await startWithTen()
    const zombie = await openSdk()
    await stage.fault({ kind: 'freeze-commit', count: null })
    await sdk.run({ op: 'append', ...zombie, start: 10, end: 19, pad: 'sdk' })
    await sdk.run({ op: 'flush', client: zombie.client })
    produce(10)
    const second = await startSink({ 'snowflake.streaming.uncommitted.timeout.ms': '500' })
    await turnUntil([second], () => second.logged.length > 0, 1_500).catch(() => undefined) // It may have nothing to say.
    await stage.clearFaults()
    await turnUntil([second])
    expect(await numbers()).toEqual(upTo(20))
    await sdk.run({ op: 'append', ...zombie, start: 20, end: 29, pad: 'late' })
    expect((await sdk.ask({ op: 'flush', client: zombie.client })).error).toBeDefined()
    produce(10)
    await turnUntil([second])
    expect(await numbers()).toEqual(upTo(30))
    expect((await stored()).filter(([, pad]) => pad === 'late')).toEqual([])
  }, 120_000)

  test('a sink whose channel is opened by an SDK takes it back, loses and doubles nothing', async () => {
    produce(10)
    const sink = await startSink({ 'snowflake.streaming.reopen.max': '3' })
    await turnUntil([sink])
    let end = 10
    for (let life = 0; life < 5; life++) {
      await openSdk(`zombie${life}`)
      produce(10)
      end += 10
      const isIn = (): boolean =>
        isDrained(sink) && sink.gauges.get(`snowflake_sink_committed_offset ${TOPIC} 0`) === end - 1
      await turnUntil([sink], isIn)
      expect(await numbers()).toEqual(upTo(end))
    }
    expect(sink.health).toBeNull()
    expect(sink.counts.get('snowflake_sink_channel_reopens_total')).toBe(5)
  }, 120_000)

  test('a sink goes on after what an SDK has written in its place', async () => {
    produce(10)
    const sink = await startSink()
    await turnUntil([sink])
    const zombie = await openSdk()
    await sdk.run({ op: 'append', ...zombie, start: 10, end: 19, pad: 'sdk' })
    await sdk.run({ op: 'commit', ...zombie, token: '19' })
    produce(20)
    const isIn = (): boolean =>
      isDrained(sink) && sink.gauges.get(`snowflake_sink_committed_offset ${TOPIC} 0`) === 29
    await turnUntil([sink], isIn)
    const rows = await stored()
    expect(rows.map(([n]) => n)).toEqual(upTo(30))
    expect(rows.filter(([, pad]) => pad === 'sdk').map(([n]) => n)).toEqual(upTo(20).slice(10))
    await sdk.run({ op: 'append', ...zombie, start: 30, end: 39, pad: 'late' })
    expect((await sdk.ask({ op: 'flush', client: zombie.client })).error).toBeDefined()
    produce(5)
    await turnUntil([sink])
    expect(await numbers()).toEqual(upTo(35))
  }, 120_000)
})
