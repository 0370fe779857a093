// Polling consumers until something has come.
import type { Consumer, ConsumerMessage } from '../../connector/kafka/client.ts'

const WAIT_MS = 10_000
const NEVER = new AbortController().signal

/** Polls until there are `count` messages. */
export async function pollFor(
  consumer: Consumer,
  count: number,
  max = 100,
): Promise<ConsumerMessage[]> {
  const messages: ConsumerMessage[] = []
  await pollUntil(
    [consumer],
    (more) => {
      messages.push(...more)
      return messages.length >= count
    },
    max,
  )
  return messages
}

/** Polls all of them in turn until `isDone`, which is told each poll's messages. Returns all messages. */
export async function pollUntil(
  consumers: readonly Consumer[],
  isDone: (messages: readonly ConsumerMessage[]) => boolean,
  max = 100,
): Promise<readonly ConsumerMessage[]> {
  const all: ConsumerMessage[] = []
  const deadline = performance.now() + 2 * WAIT_MS
  while (performance.now() < deadline) {
    for (const consumer of consumers) {
      const messages = await consumer.poll({ max, timeoutMs: 50 }, NEVER)
      all.push(...messages)
      if (isDone(messages)) return all
    }
  }
  throw new Error(`Still not done after ${2 * WAIT_MS} ms, with ${all.length} messages.`)
}
