// What a pause of all partitions at once promises; of the suite of `kafka-clients.ts`.
import { expect, test } from 'vitest'
import type { RebalanceListener } from '../../connector/kafka/client.ts'
import type { Consumer, ConsumerMessage } from '../../connector/kafka/client.ts'
import { pollFor } from './kafka-polls.ts'

const NEVER = new AbortController().signal
const nothing = (): Promise<void> => Promise.resolve()
const LISTENER: RebalanceListener = { onAssigned: nothing, onRevoked: nothing, onLost: nothing }
const textOf = ({ value }: ConsumerMessage): string | null => value && Buffer.from(value).toString()

export function pausesConformance({
  newConsumer,
  sendTexts,
}: {
  readonly newConsumer: (group: string) => Promise<Consumer>
  readonly sendTexts: (topic: string, partition: number, ...values: string[]) => Promise<unknown>
}): void {
  test('reads what was paused as a whole, for a moment or for long, in order and once', async () => {
    const values = Array.from({ length: 50 }, (_, n) => `${n}`)
    await sendTexts('rests', 0, ...values)
    const paused = { topic: 'rests', partition: 0 }
    const consumer = await newConsumer('rests')
    consumer.subscribe(['rests'], LISTENER)
    const read = (await pollFor(consumer, 1, 1)).map(textOf)
    for (const pausedMs of [0, 100, 1_500]) {
      consumer.pause([paused])
      const endMs = performance.now() + pausedMs
      do expect(await consumer.poll({ max: 1, timeoutMs: 50 }, NEVER)).toEqual([])
      while (performance.now() < endMs)
      consumer.resume([paused])
      read.push(...(await pollFor(consumer, 1, 1)).map(textOf))
    }
    read.push(...(await pollFor(consumer, 50 - read.length)).map(textOf))
    expect(read).toEqual(values)
  })

  test('reads a partition that was paused in an earlier assignment', async () => {
    await sendTexts('reassigned', 0, 'a')
    await sendTexts('reassigned', 1, 'x')
    const consumer = await newConsumer('reassigned')
    const [first, second] = [0, 1].map((partition) => ({
      topic: 'reassigned',
      partition,
      offset: -2,
    }))
    if (first === undefined || second === undefined) throw new Error('two partitions')
    consumer.assign([first, second])
    await pollFor(consumer, 2)
    consumer.pause([first])
    expect(await consumer.poll({ max: 1, timeoutMs: 50 }, NEVER)).toEqual([])
    consumer.assign([first])
    expect((await pollFor(consumer, 1)).map(textOf)).toEqual(['a'])
  })
}
