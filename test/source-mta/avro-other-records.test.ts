import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import { DEAD_LETTER_SCHEMA } from '../../source-mta/feed-poll.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { newAvroConverter } from '../support/lossless.ts'
import { type TestRegistry, startTestRegistry } from '../support/registry.ts'
import { ANSWERED_AT_MS, activity, siriBody, siriText } from '../support/siri-bodies.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

let registry: TestRegistry
beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(() => registry.remove())

const BODIES: Readonly<Record<string, Uint8Array>> = {
  'icymta-siri': siriBody([activity('1'), activity('2', { journey: { LineRef: '' } })]),
  'mta-ene': siriText([{ equipment: 'EL1', outagedate: '09/08/2026 10:05:00 PM', ADA: 'Y' }]),
  'mta-ene-equipments': siriText([{ equipmentno: 'EL1', isactive: 'N', colour: 'grey' }]),
}

/** What the first poll of a feed brings. */
async function firstPoll(feed: string): Promise<readonly SourceRecord[]> {
  const props = { feeds: feed, 'mta.bus.api.key': 'any', 'poll.jitter.ratio.percent': '0' }
  const context = new FakeSourceTaskContext(props, new FakeClock({ nowMs: ANSWERED_AT_MS }))
  const body = BODIES[feed] ?? new Uint8Array()
  const task = new MtaSourceTask(() =>
    Promise.resolve({ status: 200, headers: {}, body, wireBytes: 1 }),
  )
  task.initialize(context)
  await task.start(props)
  const records = await task.poll(new AbortController().signal)
  task.stop()
  return records ?? []
}

test.each([
  ['icymta-siri', ['icymta', 'mta.dlq', 'mta.feed_poll.v1']],
  ['mta-ene', ['mta.equipment_outage.v1', 'mta.feed_poll.v1']],
  ['mta-ene-equipments', ['mta.equipment.v1', 'mta.feed_poll.v1']],
])('the records of %s are the same after Avro', async (feed, topics) => {
  const records = await firstPoll(feed)
  expect(records.map(({ topic }) => topic)).toEqual(topics)
  const converter = newAvroConverter(registry)
  for (const { topic, valueSchema, value } of records) {
    const bytes = await converter.fromConnectData(topic, [], valueSchema, value)
    const read = await converter.toConnectData(topic, [], bytes)
    const isBytes = valueSchema === DEAD_LETTER_SCHEMA
    expect(isBytes ? [...(read.value as Uint8Array)] : read.value).toEqual(
      isBytes ? [...(value as Uint8Array)] : value,
    )
  }
  converter.close()
})
