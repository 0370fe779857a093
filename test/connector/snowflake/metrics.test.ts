import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { PluginMetricFamilies } from '../../../connector/runtime/plugin-metric-families.ts'
import { RecordingLogger } from '../../support/registry.ts'
import { SinkWorld } from '../../support/sink-world.ts'

/** What a scrape of `/metrics` gives for a series; NaN: nothing. */
function value(text: string, series: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}

describe('the metrics of a sink task', () => {
  test('show rows by outcome, bytes, latencies, channel states, waits and reopenings', async () => {
    const registry = new Registry()
    const families = new PluginMetricFamilies(registry)
    const metrics = families.of({ connector: 'sink', task: 0 }, new RecordingLogger())
    const world = new SinkWorld({
      partitions: 1,
      props: {
        'errors.tolerance': 'all',
        'snowflake.streaming.requests.per.second': '1',
        'snowflake.streaming.max.rows': '10',
      },
    })
    const worker = world.worker({}, metrics)
    await worker.start(world.partitions)
    world.produce(0, 60)
    world.snowpipe.rejects = (row) => row['N'] === 7
    for (let i = 0; i < 150; i++) {
      await world.turn(worker, 100)
      if (i % 10 === 0) world.snowpipe.commit()
    }
    world.snowpipe.invalidate('sink_rides_0')
    for (let i = 0; i < 150; i++) await world.turn(worker, 100)
    const text = await registry.metrics()
    const sink = (name: string, more = ''): number =>
      value(text, `snowflake_sink_${name}{${more}connector="sink",task="0"}`)
    expect(sink('rows_total', 'outcome="appended",')).toBe(60)
    expect(sink('rows_total', 'outcome="committed",')).toBe(60)
    expect(sink('rows_total', 'outcome="rejected",')).toBe(1)
    expect(sink('records_total')).toBeGreaterThanOrEqual(60)
    expect(sink('appended_bytes_total')).toBeGreaterThan(60 * 200)
    const requests = sink('append_requests_total')
    expect(requests).toBeGreaterThan(2)
    for (const name of ['append', 'commit', 'end_to_end']) {
      expect([name, sink(`${name}_latency_ms_count`)]).toEqual([name, requests])
    }
    expect(sink('end_to_end_latency_ms_sum')).toBeGreaterThan(0)
    expect(sink('pacing_waits_total')).toBe(requests - 1)
    expect(sink('pacing_wait_ms_sum')).toBeGreaterThan(1_000)
    expect(sink('channel_reopens_total')).toBe(1)
    expect(sink('channel_state', 'topic="rides",partition="0",')).toBe(5)
    await worker.stop()
    expect(await registry.metrics()).not.toContain('partition="0"')
  })
})
