import { describe, expect, test } from 'vitest'
import { Throughput } from '../../ui/live/throughput.ts'

const source = (connector: string, task: number, total: number): string =>
  `kafka_connect_source_task_source_record_write_total{connector="${connector}",task="${task}"} ${total}\n`
const sink = (connector: string, total: number): string =>
  `kafka_connect_sink_task_sink_record_send_total{task="0",connector="${connector}"} ${total}\n`
const lag = (connector: string, partition: number, records: number): string =>
  `kafka_consumer_fetch_manager_records_lag{client_id="connector-consumer-${connector}-0",topic="t",partition="${partition}"} ${records}\n`

describe('Throughput', () => {
  test('adds up tasks and partitions and makes rates of two readings', () => {
    const throughput = new Throughput()
    const first = source('in', 0, 100) + source('in', 1, 50) + sink('out', 90) + lag('out', 0, 7)
    expect(throughput.sample(`# HELP x\n${first}`, 0)).toEqual([
      { name: 'in', recordsTotal: 150, recordsPerSecond: 0, recordsLastHour: 150, lag: null },
      { name: 'out', recordsTotal: 90, recordsPerSecond: 0, recordsLastHour: 90, lag: 7 },
    ])
    const next = source('in', 0, 300) + source('in', 1, 50) + sink('out', 91) + lag('out', 0, 3)
    const [into, out] = throughput.sample(next + lag('out', 1, 4), 2_000)
    expect(into).toMatchObject({ recordsTotal: 350, recordsPerSecond: 100, recordsLastHour: 350 })
    expect(out).toMatchObject({ recordsPerSecond: 0.5, lag: 7 })
  })

  test('goes on from zero with a task that was restarted', () => {
    const throughput = new Throughput()
    throughput.sample(sink('out', 1_000), 0)
    const [out] = throughput.sample(sink('out', 40), 10_000)
    expect(out).toMatchObject({ recordsPerSecond: 4, recordsLastHour: 1_040 })
  })

  test('forgets what is more than an hour old', () => {
    const throughput = new Throughput()
    const minute = 60_000
    for (let n = 0; n <= 90; n++) throughput.sample(sink('out', n * 10), n * minute)
    const [out] = throughput.sample(sink('out', 900), 90 * minute)
    expect(out).toMatchObject({ recordsTotal: 900, recordsLastHour: 600 })
  })

  test('reads names with quotes and leaves out what is no number', () => {
    const throughput = new Throughput()
    expect(throughput.sample(sink('a\\"b', 5) + sink('c', Number.NaN), 0)).toEqual([
      expect.objectContaining({ name: 'a\\"b', recordsTotal: 5 }),
    ])
    // A connector that is gone leaves nothing behind.
    expect(throughput.sample('', 1_000)).toEqual([])
  })
})
