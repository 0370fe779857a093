// Messages of the native consumer without its binding's way of making them: `packed-reader.c` copies a whole poll into one
// buffer, and keys, values and headers are views of it. The set-up builds that library where there is a C compiler;
// without it, or beside another librdkafka, consumers read in the ordinary way.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import koffi from 'koffi'
import { IllegalWorkerStateError } from '../api/errors.ts'
import type { ConsumerMessage, MessageHeader } from './client.ts'

/** A poll's messages; `errorCode`: what librdkafka said after them. */
export interface Packed {
  readonly messages: readonly ConsumerMessage[]
  readonly errorCode: number | undefined
}

export interface PackedReader {
  /** At most `max` messages that are ready, never waiting. @throws Error when there is no memory for them; they stay. */
  read(max: number): Packed
}

export interface PackedLibrary {
  /** To be set in each consumer's configuration. */
  readonly properties: { readonly 'plugin.library.paths': string }
  /** A reader of the client that librdkafka calls by this name; undefined when it knows none. */
  open(clientName: string): PackedReader | undefined
}

/** One poll takes no further message beyond it. */
const BYTES_MAX = 4 * 1024 * 1024
/** `entry_t` of packed-reader.c. */
const ENTRY_BYTES = 56
/** `packed_version` of packed-reader.c. */
const VERSION = (1 << 16) | ENTRY_BYTES
const LENGTHS_BYTES = 8
const REASON_BYTES = 512
const NO_MESSAGES: readonly ConsumerMessage[] = []
const NO_HEADERS: readonly MessageHeader[] = []
const TIMESTAMP_TYPES = ['NoTimestampType', 'CreateTime', 'LogAppendTime'] as const

interface Functions {
  readonly bind: (library: string, reason: Buffer, size: number) => number
  readonly find: (name: string) => number
  readonly read: (client: number, max: number, bytesMax: number, result: Int32Array) => number
  readonly take: (client: number, buffer: Buffer, size: number) => number
}

/** The library, or why there is none. */
export function loadPackedLibrary(): PackedLibrary | string {
  if (os.endianness() !== 'LE') return 'The packed reader is for little-endian machines.'
  const require = createRequire(import.meta.url)
  const root = path.dirname(require.resolve('@confluentinc/kafka-javascript/package.json'))
  const inBuild = (name: string): string => path.join(root, 'build', name)
  const file = inBuild('Release/mta-packed-reader.so')
  if (!existsSync(file)) return 'The packed reader was not built by the set-up.'
  try {
    const library = koffi.load(file)
    const version: unknown = library.func('int packed_version()')()
    if (version !== VERSION) {
      return `The packed reader is of version ${String(version)}, expected ${VERSION}. Run: node tools/setup.mjs --rebuild-native`
    }
    const f = {
      bind: library.func('int packed_bind(const char *library, void *reason, size_t size)'),
      find: library.func('int packed_find(const char *name)'),
      read: library.func('int64_t packed_read(int client, int max, int64_t bytes, void *result)'),
      take: library.func('int packed_take(int client, void *buffer, int64_t size)'),
    } as unknown as Functions
    const reason = Buffer.alloc(REASON_BYTES)
    const librdkafka = LIBRARIES.map(inBuild).find((name) => existsSync(name)) ?? ''
    if (f.bind(librdkafka, reason, REASON_BYTES) !== 0) {
      return `The packed reader does not suit this client: ${reason.toString('utf8', 0, reason.indexOf(0))}.`
    }
    return {
      properties: { 'plugin.library.paths': file },
      open(clientName) {
        const client = f.find(clientName)
        return client < 0 ? undefined : newReader(f, client)
      },
    }
  } catch (error) {
    return `The packed reader does not load: ${error instanceof Error ? error.message : String(error)}.`
  }
}

/** Where librdkafka is: a library of its own, or part of the binding. */
const LIBRARIES = [
  'deps/librdkafka.so.1',
  'deps/librdkafka.1.dylib',
  'Release/librdkafka.so.1',
  'Release/librdkafka.1.dylib',
  'Release/confluent-kafka-javascript.node',
]

function newReader(f: Functions, client: number): PackedReader {
  const result = new Int32Array(2)
  return {
    read(max) {
      const bytes = f.read(client, max, BYTES_MAX, result)
      if (bytes < 0) throw new IllegalWorkerStateError(`Kafka client ${client} was destroyed.`)
      const [count = 0, error = 0] = result
      const errorCode = error === 0 ? undefined : error
      if (count === 0) return { messages: NO_MESSAGES, errorCode }
      const buffer = Buffer.allocUnsafeSlow(bytes)
      if (f.take(client, buffer, bytes) !== 0) {
        throw new IllegalWorkerStateError(`${count} messages do not fit into ${bytes} bytes.`)
      }
      return { messages: unpack(buffer, count), errorCode }
    },
  }
}

/** Reads what packed_take wrote. */
export function unpack(buffer: Buffer, count: number): readonly ConsumerMessage[] {
  const doubles = new Float64Array(buffer.buffer, buffer.byteOffset, (count * ENTRY_BYTES) / 8)
  const ints = new Int32Array(buffer.buffer, buffer.byteOffset, (count * ENTRY_BYTES) / 4)
  const int = (at: number): number => ints[at] as number
  const messages: ConsumerMessage[] = []
  let topic = ''
  let topicAt = -1
  for (let i = 0; i < count; i++) {
    const at = i * (ENTRY_BYTES / 4)
    if (int(at + 6) !== topicAt) {
      topicAt = int(at + 6)
      topic = buffer.toString('utf8', topicAt, topicAt + int(at + 7))
    }
    const timestamp = doubles[i * (ENTRY_BYTES / 8) + 1] as number
    const keyLength = int(at + 9)
    const valueLength = int(at + 11)
    const headers = int(at + 13)
    messages.push({
      topic,
      partition: int(at + 4),
      offset: doubles[i * (ENTRY_BYTES / 8)] as number,
      key: bytesAt(buffer, int(at + 8), keyLength),
      value: bytesAt(buffer, int(at + 10), valueLength),
      headers: headers === 0 ? NO_HEADERS : headersAt(buffer, int(at + 12), headers),
      timestamp: timestamp < 0 ? undefined : timestamp,
      timestampType: TIMESTAMP_TYPES[timestamp < 0 ? 0 : int(at + 5)] ?? 'NoTimestampType',
      size: Math.max(keyLength, 0) + Math.max(valueLength, 0),
    })
  }
  return messages
}

/** A view: it keeps the whole poll's bytes alive. */
const bytesAt = (buffer: Buffer, at: number, length: number): Buffer | null =>
  length < 0 ? null : buffer.subarray(at, at + length)

function headersAt(buffer: Buffer, from: number, count: number): readonly MessageHeader[] {
  const headers: MessageHeader[] = []
  for (let at = from; headers.length < count; ) {
    const keyLength = buffer.readInt32LE(at)
    const valueLength = buffer.readInt32LE(at + 4)
    const valueAt = at + LENGTHS_BYTES + keyLength
    const key = buffer.toString('utf8', at + LENGTHS_BYTES, valueAt)
    headers.push({ key, value: bytesAt(buffer, valueAt, valueLength) })
    at = valueAt + Math.max(valueLength, 0)
  }
  return headers
}
