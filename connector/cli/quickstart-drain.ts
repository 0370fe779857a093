import type { Clock } from '../api/clock.ts'
import { toMessage } from '../api/errors.ts'

export interface DrainOptions {
  /** Of the worker. */
  readonly url: string
  readonly source: string
  readonly sink: string
  readonly bootstrapServers: string
  readonly topic: string
  readonly partitions: number
  readonly limitMs: number
  readonly clock: Clock
}

const POLL_MS = 250
const REQUEST_LIMIT_MS = 2_000

/**
 * Stops the source, then waits until the sink has committed all that the topic holds. Resolves with undefined,
 * or with what was left when the time was over: on a broker that forgets its topics those records are lost.
 */
export async function drain(options: DrainOptions): Promise<string | undefined> {
  const { url, source, sink, limitMs, clock } = options
  const deadline = clock.now() + limitMs
  try {
    await request(`${url}/connectors/${source}/stop`, 'PUT')
    const ends = await endOffsets(options)
    for (;;) {
      const left = uncommitted(await request(`${url}/metrics`, 'GET'), sink, ends)
      if (left === 0) return undefined
      if (clock.now() > deadline) {
        return `${left} records were not committed within ${limitMs / 1000} s; the embedded broker forgets them.`
      }
      await clock.sleep(POLL_MS)
    }
  } catch (error) {
    return `What is on its way could not be waited for: ${toMessage(error)}`
  }
}

/** The next offset of each partition. The client is loaded here only: the stack needs none while it runs. */
async function endOffsets({
  bootstrapServers,
  topic,
  partitions,
}: DrainOptions): Promise<number[]> {
  const { confluentClients } = await import('../kafka/confluent.ts')
  const consumer = confluentClients.consumer(
    { 'bootstrap.servers': bootstrapServers },
    { log: () => undefined, statistics: () => undefined },
  )
  try {
    await consumer.connect(AbortSignal.timeout(REQUEST_LIMIT_MS))
    const bounds = await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        consumer.logBounds({ topic, partition }, REQUEST_LIMIT_MS),
      ),
    )
    return bounds.map(({ end }) => end)
  } finally {
    await consumer.close()
  }
}

async function request(url: string, method: string): Promise<string> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 200)}`)
  return text
}

/** How many records the sink has not committed, by the committed offsets that it shows. */
export function uncommitted(metrics: string, sink: string, ends: readonly number[]): number {
  const committed = new Map<number, number>()
  for (const [, labels = '', value] of metrics.matchAll(
    /^snowflake_sink_committed_offset\{([^}]*)\} (\S+)$/gm,
  )) {
    const partition = /partition="(\d+)"/.exec(labels)?.[1]
    if (partition !== undefined && labels.includes(`connector="${sink}"`)) {
      committed.set(Number(partition), Number(value) + 1)
    }
  }
  return ends.reduce(
    (left, end, partition) => left + Math.max(0, end - (committed.get(partition) ?? 0)),
    0,
  )
}
