import { topicPartitionKey } from '../api/topic-partition.ts'
import type { ConsumerMessage, MessageHeader } from './client.ts'
import type { NativeMessage } from './native.ts'

const NO_HEADERS: readonly MessageHeader[] = []

/**
 * Turns the library's messages into ours. The library does not tell a timestamp's type, nor a null header from an empty
 * one: they come as CreateTime, and empty.
 */
export const toConsumerMessages = (
  messages: readonly NativeMessage[],
): readonly ConsumerMessage[] => messages.map(toConsumerMessage)

/** Notes in `positions` where each partition goes on. */
export function notePositions(
  messages: readonly ConsumerMessage[],
  positions: Map<string, number>,
): void {
  let last: ConsumerMessage | undefined
  for (const message of messages) {
    // Messages of one partition come in runs, so that the key is not built for each.
    if (
      last !== undefined &&
      (last.partition !== message.partition || last.topic !== message.topic)
    ) {
      positions.set(topicPartitionKey(last), last.offset + 1)
    }
    last = message
  }
  if (last !== undefined) positions.set(topicPartitionKey(last), last.offset + 1)
}

function toConsumerMessage(message: NativeMessage): ConsumerMessage {
  const { headers, key, timestamp, value } = message
  return {
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    key,
    value,
    headers: headers === undefined ? NO_HEADERS : headers.map(toHeader),
    timestamp: timestamp < 0 ? undefined : timestamp,
    timestampType: timestamp < 0 ? 'NoTimestampType' : 'CreateTime',
    size: (key === null ? 0 : key.length) + (value === null ? 0 : value.length),
  }
}

function toHeader(header: Readonly<Record<string, Buffer>>): MessageHeader {
  const [[key, value] = ['', null]] = Object.entries(header)
  return { key, value }
}
