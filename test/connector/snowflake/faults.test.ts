import { describe, expect, test } from 'vitest'
import { settled } from '../../support/fake-clock.ts'
import { SINK_TOPIC, SinkWorld, TOPIC_ID } from '../../support/sink-world.ts'

const CHANNEL = `sink_${SINK_TOPIC}_0`
const STATE = `snowflake_sink_channel_state ${SINK_TOPIC} 0`

async function running(
  props: Readonly<Record<string, string>> = {},
  produced = 10,
): Promise<{ world: SinkWorld; worker: ReturnType<SinkWorld['worker']> }> {
  const world = new SinkWorld({ partitions: 1, props })
  const worker = world.worker()
  await worker.start(world.partitions)
  world.produce(0, produced)
  for (let i = 0; i < 8; i++) await world.turn(worker)
  return { world, worker }
}

/** Ten records are stored; then the topic is deleted, made again, and has three. */
async function recreated(policy: string) {
  const world = new SinkWorld({ partitions: 1, props: { 'snowflake.topic.recreated': policy } })
  world.produce(0, 10)
  const first = world.worker()
  await first.start(world.partitions)
  await world.drains(first)
  world.topics.create(SINK_TOPIC, 'YW5vdGhlcg', 1)
  world.topics.committed.clear()
  world.produce(0, 3)
  const second = world.worker()
  await second.start(world.partitions)
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      await world.turn(second, 100)
      world.snowpipe.commit()
    }
  }
  return { world, turns }
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

describe('SnowflakeSinkTask', () => {
  test('stays running while the endpoint is away, says so, and goes on by itself', async () => {
    const { world, worker } = await running()
    world.snowpipe.isDown = true
    world.produce(0, 10)
    for (let i = 0; i < 100; i++) await world.turn(worker, 600)
    expect(worker.health?.state).toBe('DEGRADED')
    world.snowpipe.isDown = false
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(20))
    expect(worker.health).toBeNull()
  })

  test('complains no more of an endpoint that is back, though there is no table and no record yet', async () => {
    const world = new SinkWorld({
      partitions: 1,
      props: { 'snowflake.autocreate.table.type': 'iceberg' },
    })
    world.snowpipe.pipes = new Set()
    world.snowpipe.isDown = true
    const worker = world.worker()
    await worker.start(world.partitions)
    for (let i = 0; i < 50; i++) await world.turn(worker, 600)
    expect(worker.health?.state).toBe('DEGRADED')
    world.snowpipe.isDown = false
    for (let i = 0; i < 50; i++) await world.turn(worker, 600)
    expect(worker.health).toBeNull()
  })

  test('asks for the host again when the one that takes rows is gone without a word', async () => {
    const { world, worker } = await running()
    world.snowpipe.ingestHost = '127.0.0.2'
    world.produce(0, 10)
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(20))
    expect(worker.health).toBeNull()
  })

  test('goes on with the host that it knows while nobody tells which one takes rows', async () => {
    const { world, worker } = await running()
    const unsent = { match: '/rows', fault: { kind: 'unsent' as const } }
    world.snowpipe.faults.push(...Array.from({ length: 5 }, () => unsent))
    const silent = { match: 'hostname', fault: { kind: 'unsent' as const } }
    world.snowpipe.faults.push(...Array.from({ length: 1_000 }, () => silent))
    world.produce(0, 10)
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(20))
  })

  test('pauses the partition when its buffer is full, and resumes it', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.buffer.bytes': '100000' })
    world.snowpipe.isDown = true
    world.produce(0, 2_000)
    for (let i = 0; i < 50; i++) await world.turn(worker)
    expect(worker.paused.size).toBe(1)
    expect(worker.gauges.get('snowflake_sink_uncommitted_records')).toBeLessThan(1_000)
    world.snowpipe.isDown = false
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(2_010))
    expect(worker.paused.size).toBe(0)
  })

  test('notices an invalid channel though no record comes any more', async () => {
    const { world, worker } = await running()
    world.snowpipe.invalidate(CHANNEL)
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(10))
  })

  test('sends again what an endpoint lost that came back without a word', async () => {
    const { world, worker } = await running()
    world.snowpipe.restart()
    let waitedMs = 0
    for (; world.offsetsStored(0).length < 10 && waitedMs < 60_000; waitedMs += 100) {
      await world.turn(worker, 100)
      world.snowpipe.commit()
    }
    expect(world.offsetsStored(0)).toEqual(upTo(10))
    expect(waitedMs).toBeLessThan(30_000)
  })

  test('reports commits that stand still, and goes on when they move', async () => {
    const { world, worker } = await running()
    world.snowpipe.isFrozen = true
    for (let i = 0; i < 300; i++) await world.turn(worker, 200)
    expect(worker.health?.state).toBe('DEGRADED')
    world.snowpipe.isFrozen = false
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(10))
  })

  test('complains no more of commits that came while the channel was waited for', async () => {
    const { world, worker } = await running()
    world.snowpipe.isFrozen = true
    for (let i = 0; i < 120; i++) await world.turn(worker, 200)
    expect(worker.health?.message).toContain('ERR_CHANNEL_HAS_UNCOMMITTED_DATA')
    world.snowpipe.isFrozen = false
    world.snowpipe.commit()
    for (let i = 0; i < 120; i++) await world.turn(worker, 200)
    expect(world.offsetsStored(0)).toEqual(upTo(10))
    expect(worker.health).toBeNull()
  })

  test('does not listen to an answer that belongs to an earlier life of the channel', async () => {
    const { world, worker } = await running()
    world.snowpipe.faults.push({ match: '/rows', fault: { kind: 'slow' } })
    world.produce(0, 5)
    for (let i = 0; i < 4; i++) await world.turn(worker)
    world.snowpipe.invalidate(CHANNEL)
    for (let i = 0; i < 10; i++) await world.turn(worker, 100)
    world.snowpipe.faults.push({ match: '/rows', fault: { kind: 'slow' } })
    world.produce(0, 5)
    for (let i = 0; i < 4; i++) await world.turn(worker)
    world.snowpipe.release()
    await settled()
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(20))
    expect(worker.logged.filter((line) => line.startsWith('warn'))).toHaveLength(1)
  })

  test('does not listen to a status that was asked for in an earlier life of the channel', async () => {
    const { world, worker } = await running()
    world.snowpipe.commit()
    for (let i = 0; i < 5; i++) await world.turn(worker)
    const opens = (): number =>
      world.snowpipe.requests.filter((line) => line.startsWith('PUT')).length
    world.snowpipe.invalidate(CHANNEL)
    world.snowpipe.faults.push({ match: ':bulk', fault: { kind: 'slow' } })
    for (let i = 0; i < 4; i++) await world.turn(worker, 60_000)
    expect(opens()).toBe(1)
    world.produce(0, 5)
    for (let i = 0; i < 10; i++) await world.turn(worker)
    expect(opens()).toBe(2)
    world.snowpipe.release()
    await settled()
    expect(await world.drains(worker)).toBe(true)
    expect(opens()).toBe(2)
  })

  test('sends again what a service lost that went back to an earlier state', async () => {
    const { world, worker } = await running({}, 5)
    world.snowpipe.commit()
    for (let i = 0; i < 6; i++) await world.turn(worker)
    world.produce(0, 5)
    for (let i = 0; i < 6; i++) await world.turn(worker)
    world.snowpipe.commit()
    for (let i = 0; i < 6; i++) await world.turn(worker)
    const channel = world.snowpipe.channels.get(CHANNEL)
    if (channel === undefined) throw new Error('There is no channel')
    channel.committed.length = 5
    channel.inserted = 5
    channel.committedToken = `${TOPIC_ID}:4`
    for (let i = 0; i < 20; i++) await world.turn(worker, 10_000)
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(10))
  })

  test('cuts a request that is too large until its parts fit', async () => {
    const { world, worker } = await running({}, 0)
    world.snowpipe.wireBytesMax = 400
    world.produce(0, 200)
    expect(await world.drains(worker)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(200))
  })

  test('fails when Snowflake rejects rows, naming partition, offsets and reason', async () => {
    const { world, worker } = await running()
    world.snowpipe.rejects = (row) => row['N'] === 7
    world.snowpipe.commit()
    await expect(
      (async () => {
        for (let i = 0; i < 10; i++) await world.turn(worker, 100)
      })(),
    ).rejects.toThrow(
      'Snowflake rejected 1 rows of rides-0 between offsets 0 and 9, the last one at or before dG9waWMtMQ:9: NULL result in a non-nullable column',
    )
  })

  test('with errors.tolerance=all rejected rows are reported and passed over', async () => {
    const { world, worker } = await running({ 'errors.tolerance': 'all' })
    world.snowpipe.rejects = (row) => row['N'] === 7
    world.snowpipe.commit()
    for (let i = 0; i < 10; i++) await world.turn(worker, 100)
    expect(worker.health).toMatchObject({ state: 'DEGRADED' })
    expect(worker.counts.get('snowflake_sink_rows_total rejected')).toBe(1)
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(10)
  })

  test('fails for rows that were rejected before the channel had to be opened again', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.status.poll.ms': '5000' })
    world.snowpipe.rejects = (row) => row['N'] === 3
    world.snowpipe.commit()
    world.snowpipe.invalidate(CHANNEL)
    world.produce(0, 5)
    await expect(world.drains(worker, 100)).rejects.toThrow(
      'Snowflake rejected 1 rows of rides-0 between offsets 0 and 9',
    )
  })

  test('fails for rows that were lost from a request whose answer never came', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.status.poll.ms': '5000' }, 0)
    world.snowpipe.faults.push({ match: '/rows', fault: { kind: 'slow' } })
    world.produce(0, 10)
    for (let i = 0; i < 4; i++) await world.turn(worker)
    world.snowpipe.discards = true
    world.snowpipe.commit()
    world.snowpipe.invalidate(CHANNEL)
    await expect(
      (async () => {
        for (let i = 0; i < 90; i++) await world.turn(worker, 2_500)
      })(),
    ).rejects.toThrow('10 rows of rides-0 between offsets 0 and 9 were accepted but neither')
  })

  test('fails for rows that were accepted, lost and never looked at before a reopening', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.status.poll.ms': '5000' })
    world.snowpipe.discards = true
    world.snowpipe.commit()
    world.snowpipe.discards = false
    world.snowpipe.invalidate(CHANNEL)
    world.produce(0, 5)
    await expect(
      (async () => {
        for (let i = 0; i < 60; i++) await world.turn(worker, 2_500)
      })(),
    ).rejects.toThrow('10 rows of rides-0 between offsets 0 and 9 were accepted but neither')
  })

  test('goes on with the counters of a channel that was dropped and made again', async () => {
    const { world, worker } = await running()
    world.snowpipe.commit()
    for (let i = 0; i < 5; i++) await world.turn(worker)
    const channel = world.snowpipe.channels.get(CHANNEL)
    world.snowpipe.invalidate(CHANNEL)
    if (channel !== undefined) channel.inserted = 0
    world.produce(0, 5)
    expect(await world.drains(worker)).toBe(true)
    for (let i = 0; i < 30; i++) await world.turn(worker, 2_500)
    expect(world.offsetsStored(0)).toEqual(upTo(15))
    expect(worker.health).toBeNull()
  })

  test('fails when rows that were accepted are nowhere', async () => {
    const { world, worker } = await running()
    world.snowpipe.discards = true
    world.snowpipe.commit()
    await expect(
      (async () => {
        for (let i = 0; i < 60; i++) await world.turn(worker, 2_500)
      })(),
    ).rejects.toThrow('10 rows of rides-0 between offsets 0 and 9 were accepted but neither')
  })

  test('reads on after the plain decimal position of another client', async () => {
    const world = new SinkWorld({ partitions: 1 })
    world.produce(0, 10)
    const first = world.worker()
    await first.start(world.partitions)
    expect(await world.drains(first)).toBe(true)
    const channel = world.snowpipe.channels.get(CHANNEL)
    expect(channel?.committedToken).toBe(`${TOPIC_ID}:9`)
    if (channel !== undefined) channel.committedToken = '9'
    world.produce(0, 5)
    const second = world.worker()
    await second.start(world.partitions)
    expect(await world.drains(second)).toBe(true)
    expect(world.offsetsStored(0)).toEqual(upTo(15))
  })

  test('fails for a recreated topic', async () => {
    const { turns } = await recreated('fail')
    await expect(turns()).rejects.toThrow(
      'Topic rides was recreated: the channel of rides-0 holds offset 9 of topic id dG9waWMtMQ',
    )
  })

  test('reads a recreated topic anew when it is told to', async () => {
    const { world, turns } = await recreated('reset')
    await turns()
    expect(world.offsetsStored(0)).toEqual([...upTo(10), 0, 1, 2])
  })

  test('fails when the log has lost what comes next, naming the offsets', async () => {
    const world = new SinkWorld({ partitions: 1 })
    world.produce(0, 10)
    const first = world.worker()
    await first.start(world.partitions)
    expect(await world.drains(first)).toBe(true)
    world.produce(0, 10)
    world.topics.log({ topic: SINK_TOPIC, partition: 0 }).beginning = 15
    const second = world.worker()
    await second.start(world.partitions)
    await expect(
      (async () => {
        for (let i = 0; i < 5; i++) await world.turn(second)
      })(),
    ).rejects.toThrow('Offsets 10 to 14 of rides-0 are lost')
  })

  test('a stopping task sends what it holds and waits a bounded time for its commit', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.linger.ms': '60000' })
    expect(world.offsetsStored(0)).toEqual([])
    const stopping = worker.stop()
    for (let i = 0; i < 200; i++) {
      await world.clock.advance(20)
      world.snowpipe.commit()
    }
    await stopping
    expect(world.offsetsStored(0)).toEqual(upTo(10))
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(10)
    expect(worker.gauges.get(STATE)).toBeUndefined()
  })

  test('a stopping task waits no longer than it may for a commit that does not come', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.stop.timeout.ms': '1000' })
    let isStopped = false
    const stop = async (): Promise<void> => {
      await worker.stop()
      isStopped = true
    }
    const stopping = stop()
    for (let i = 0; i < 40; i++) await world.clock.advance(20)
    expect(isStopped).toBe(false)
    for (let i = 0; i < 15; i++) await world.clock.advance(20)
    expect(isStopped).toBe(true)
    await stopping
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBeUndefined()
  })

  test('a rebalance does not wait for commits', async () => {
    const { world, worker } = await running()
    const before = world.clock.now()
    await worker.revoke(world.partitions)
    expect(world.clock.now()).toBe(before)
    expect(world.offsetsStored(0)).toEqual([])
  })

  test('records without a row are committed to Kafka too', async () => {
    const world = new SinkWorld({ partitions: 1, props: { 'behavior.on.null.values': 'ignore' } })
    const worker = world.worker()
    await worker.start(world.partitions)
    for (let i = 0; i < 5; i++) {
      world.topics.append({ topic: SINK_TOPIC, partition: 0 }, () => ({ value: null }))
    }
    for (let i = 0; i < 10; i++) await world.turn(worker)
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(5)
  })

  test('keeps to ten requests a second and channel', async () => {
    const { world, worker } = await running({ 'snowflake.streaming.linger.ms': '0' }, 0)
    world.snowpipe.requests.length = 0
    for (let i = 0; i < 500; i++) {
      world.produce(0, 1)
      await world.turn(worker, 20)
    }
    const appends = world.snowpipe.requests.filter((line) => line.endsWith('/rows')).length
    expect(appends).toBeGreaterThan(80)
    expect(appends).toBeLessThanOrEqual(111)
  })

  test('a table that is missing for too long fails the task with the reason of Snowflake', async () => {
    const world = new SinkWorld({ partitions: 1 })
    world.snowpipe.pipes = new Set()
    const worker = world.worker()
    await worker.start(world.partitions)
    await expect(
      (async () => {
        for (let i = 0; i < 20; i++) await world.turn(worker, 10_000)
      })(),
    ).rejects.toThrow('ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED')
  })
})
