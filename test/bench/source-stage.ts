// What the source's bench runs on: a simulated city at the weekday's peak, the task with a network of its own, the Avro
// converter with a registry, and a producer at the embedded broker. Feeds, broker and bench are processes of their own.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { SourceRecord } from '../../connector/api/records.ts'
import type { AvroConverter } from '../../connector/converters/avro.ts'
import type { Producer } from '../../connector/kafka/client.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { noEvents } from '../support/fake-kafka.ts'
import { startEmbeddedBroker } from '../support/kafka-broker.ts'
import { newAvroConverter } from '../support/lossless.ts'
import { startPart } from '../support/processes.ts'
import { startTestRegistry } from '../support/registry.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

const TICK_MS = 30_000
const FLUSH_LIMIT_MS = 30_000
const NEVER = new AbortController().signal
const TOPICS =
  'mta.vehicle_position.v1:6,mta.trip_update.v1:12,mta.alert.v1:1,mta.feed_poll.v1:1,mta.dlq:1'
const GATEWAY = '/Dataservice/mtagtfsfeeds/'
const ALERTS = `${GATEWAY}camsys%2Fall-alerts`

/** The feeds of a tick and where they are. */
const FEEDS: Readonly<Record<string, string>> = {
  'mta-subway-1234567s': `${GATEWAY}nyct%2Fgtfs`,
  ...Object.fromEntries(
    ['ace', 'bdfm', 'g', 'jz', 'l', 'nqrw', 'si'].map((line) => [
      `mta-subway-${line}`,
      `${GATEWAY}nyct%2Fgtfs-${line}`,
    ]),
  ),
  'mta-lirr': `${GATEWAY}lirr%2Fgtfs-lirr`,
  'mta-mnr': `${GATEWAY}mnr%2Fgtfs-mnr`,
  'mta-bus-vp': '/vehiclePositions?key=bench',
  'mta-bus-tu': '/tripUpdates?key=bench',
  'mta-alerts-all': ALERTS,
}

/** What one tick took, in milliseconds of wall and seconds of CPU of this process (librdkafka's threads included). */
export interface TickFigures {
  readonly wallMs: number
  readonly cpuSeconds: number
  /** From the first record that was encoded to the last; part of `wallMs`, as CPU. */
  readonly encodeCpuSeconds: number
  readonly records: number
  readonly bytes: number
}

export interface Tick {
  /** As the feeds hold them at this instant. */
  readonly bodies: readonly Uint8Array[]
  readonly figures: TickFigures
}

export interface SourceStage {
  /** Lets half a minute pass and reads all feeds. Rejects when a record is not acknowledged. */
  tick(): Promise<Tick>
  close(): Promise<void>
}

/** `emit.mode` is the only difference between the two of a bench. */
export async function openSourceStage(emitMode: 'all' | 'changed'): Promise<SourceStage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bench-source-'))
  const feeds = await startPart(
    'feeds-simulator',
    ['--port', '0', '--scale', 'peak', '--start', '2026-06-10T08:00:00-04:00'],
    path.join(folder, 'feeds.log'),
  )
  const url = String(feeds.ready['url'])
  await post(`${url}/__sim/clock`, { at: '2026-06-10T08:00:00-04:00', paused: true })
  const broker = await startEmbeddedBroker(TOPICS)
  const registry = await startTestRegistry()
  const converter = newAvroConverter(registry)
  const config = { 'bootstrap.servers': broker.bootstrapServers, 'linger.ms': 5 }
  const producer = confluentClients.producer(config, noEvents)
  await producer.connect(NEVER)
  const clock = new FakeClock({ nowMs: Date.parse('2026-06-10T08:00:00-04:00') })
  const task = await startTask(url, emitMode, clock)
  return {
    async tick() {
      await post(`${url}/__sim/clock`, { step: TICK_MS / 1_000 })
      // Asked for once before, so that making them is no part of what is measured.
      const bodies = await Promise.all(Object.values(FEEDS).map((target) => bodyOf(url + target)))
      await clock.advance(TICK_MS)
      return { bodies, figures: await measure(task, converter, producer) }
    },
    async close() {
      task.stop()
      await producer.close(FLUSH_LIMIT_MS)
      converter.close()
      await registry.remove()
      await broker.stop()
      await feeds.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
}

async function bodyOf(url: string): Promise<Uint8Array> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function startTask(url: string, emitMode: string, clock: FakeClock): Promise<MtaSourceTask> {
  const props = {
    feeds: Object.keys(FEEDS).join(','),
    'feeds.base.url': url,
    'feeds.bus.base.url': url,
    'mta.bus.api.key': 'bench',
    'emit.mode': emitMode,
    'poll.jitter.ratio.percent': '0',
    'feed.defaults.poll.interval.ms': String(TICK_MS),
  }
  const task = new MtaSourceTask()
  task.initialize(new FakeSourceTaskContext(props, clock))
  await task.start(props)
  return task
}

/** As a worker does it: each feed's records are encoded and sent when it has answered. */
async function measure(
  task: MtaSourceTask,
  converter: AvroConverter,
  producer: Producer,
): Promise<TickFigures> {
  const beganMs = performance.now()
  const before = process.cpuUsage()
  let [records, bytes, encodeCpu, acknowledged] = [0, 0, 0, 0]
  const failures: Error[] = []
  const onDelivery = (error: Error | null): void => {
    if (error === null) acknowledged++
    else failures.push(error)
  }
  for (let feed = 0; feed < Object.keys(FEEDS).length; feed++) {
    // oxlint-disable-next-line no-await-in-loop -- the next one's answer is waited for meanwhile
    const polled = (await task.poll(NEVER)) ?? []
    const from = process.cpuUsage()
    for (const record of polled) {
      const encoded = encode(converter, record)
      // oxlint-disable-next-line no-await-in-loop -- only the first of a schema asks the registry
      const value = encoded instanceof Promise ? await encoded : encoded
      bytes += value?.length ?? 0
      records++
      producer.send(
        {
          topic: record.topic,
          key: Buffer.from(String(record.key)),
          value,
          timestamp: record.timestamp,
        },
        onDelivery,
      )
    }
    encodeCpu += secondsSince(from)
  }
  await producer.flush(FLUSH_LIMIT_MS)
  const [failure] = failures
  if (failure !== undefined) throw failure
  if (acknowledged !== records) throw new Error(`${acknowledged} of ${records} acknowledged.`)
  const cpuSeconds = secondsSince(before)
  return {
    wallMs: performance.now() - beganMs,
    cpuSeconds,
    encodeCpuSeconds: encodeCpu,
    records,
    bytes,
  }
}

const encode = (converter: AvroConverter, { topic, valueSchema, value }: SourceRecord) =>
  // A dead letter is bytes already.
  value instanceof Uint8Array ? value : converter.fromConnectData(topic, [], valueSchema, value)

/** CPU of this process since then, user and system. */
export function secondsSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}
