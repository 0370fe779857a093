import { inspect } from 'node:util'
import type { SourceRecord } from '../api/records.ts'
import type { MessageHeader } from '../kafka/client.ts'

/** A source record as bytes. */
export interface ConvertedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly MessageHeader[]
}

/**
 * What a dead-letter queue keeps of a source record that came to nothing: the bytes that Kafka refused, or, of one that
 * never became bytes, its parts as JSON, with bytes in base64 and integers beyond 2^53 as text.
 */
export function sourceLetter(
  record: SourceRecord,
  converted: ConvertedRecord | undefined,
): ConvertedRecord {
  if (converted !== undefined) return converted
  const { key, value, headers, topic, timestamp, sourcePartition, sourceOffset } = record
  const letter = { topic, timestamp, sourcePartition, sourceOffset, key, value, headers }
  return { key: bytesOf(sourcePartition), value: bytesOf(letter), headers: [] }
}

/** JSON as bytes; what JSON cannot hold is described instead. */
export function bytesOf(value: unknown): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(value, plain) ?? 'null')
  } catch {
    return Buffer.from(JSON.stringify(inspect(value, { depth: 4 }))) // It refers to itself.
  }
}

function plain(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
