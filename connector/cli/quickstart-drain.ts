import type { Clock } from '../api/clock.ts'
import { toMessage } from '../api/errors.ts'

export interface DrainOptions {
  /** Of the worker. */
  readonly url: string
  readonly source: string
  readonly sink: string
  readonly limitMs: number
  readonly clock: Clock
}

const POLL_MS = 250
const REQUEST_LIMIT_MS = 2_000
/** Two samples in a row must agree: a record may be between the two figures at the moment of one. */
const CLEAN_SAMPLES = 3

/**
 * Stops the source, then waits until the sink has committed everything. Resolves with undefined, or with
 * what was left when the time was over: on a broker that forgets its topics those records are lost.
 */
export async function drain(options: DrainOptions): Promise<string | undefined> {
  const { url, source, sink, limitMs, clock } = options
  const deadline = clock.now() + limitMs
  try {
    await request(`${url}/connectors/${source}/stop`, 'PUT')
    let clean = 0
    for (;;) {
      const left = uncommitted(await request(`${url}/metrics`, 'GET'), sink)
      clean = left === 0 ? clean + 1 : 0
      if (clean >= CLEAN_SAMPLES) return undefined
      if (clock.now() > deadline) {
        return `${left} records were not committed within ${limitMs / 1000} s; the embedded broker forgets them.`
      }
      await clock.sleep(POLL_MS)
    }
  } catch (error) {
    return `What is on its way could not be waited for: ${toMessage(error)}`
  }
}

async function request(url: string, method: string): Promise<string> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 200)}`)
  return text
}

/** Records that the sink has read and Snowflake has not committed, and those that it has not read. */
export function uncommitted(metrics: string, sink: string): number {
  let sum = 0
  for (const line of metrics.split('\n')) {
    const [, name, labels = '', value] = /^(\w+)\{([^}]*)\} (\S+)/.exec(line) ?? []
    const isBuffered =
      name === 'snowflake_sink_uncommitted_records' && labels.includes(`connector="${sink}"`)
    const isLag =
      name === 'kafka_consumer_fetch_manager_records_lag' &&
      labels.includes(`connector-consumer-${sink}-`)
    if ((isBuffered || isLag) && Number(value) > 0) sum += Number(value)
  }
  return sum
}
