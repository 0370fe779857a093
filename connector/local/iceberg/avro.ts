// Avro object container files (https://avro.apache.org/docs/1.11.1/specification/), as far as Iceberg's
// manifests need them. A library would do, but avsc drops the `field-id` attributes that Iceberg reads.
import { createHash } from 'node:crypto'
import { ConnectError } from '../../api/errors.ts'

export interface AvroField {
  readonly name: string
  readonly type: AvroSchema
  readonly 'field-id'?: number
  readonly default?: null
  readonly doc?: string
}
export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly AvroField[]
}
export interface AvroArray {
  readonly type: 'array'
  readonly items: AvroSchema
  readonly logicalType?: 'map'
  readonly 'element-id'?: number
}
type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'
export type AvroSchema = AvroPrimitive | AvroRecord | AvroArray | readonly AvroSchema[]

const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 0x01])
const SYNC_BYTES = 16

/** One container file with one block, without compression. Equal input makes equal bytes. */
export function encodeContainer(
  schema: AvroRecord,
  meta: Readonly<Record<string, string>>,
  records: readonly Readonly<Record<string, unknown>>[],
): Buffer {
  const body = new AvroWriter()
  for (const record of records) body.value(schema, record)
  const block = body.bytes()
  const header = new AvroWriter()
  const entries = Object.entries({
    'avro.schema': JSON.stringify(schema),
    'avro.codec': 'null',
    ...meta,
  })
  header.long(entries.length)
  for (const [key, value] of entries) {
    header.string(key)
    header.string(value)
  }
  header.long(0)
  // The marker must only be unlikely within the block; a hash keeps equal input equal.
  const sync = createHash('sha256').update(block).digest().subarray(0, SYNC_BYTES)
  const parts = [MAGIC, header.bytes(), sync]
  if (records.length > 0) {
    const counts = new AvroWriter()
    counts.long(records.length)
    counts.long(block.length)
    parts.push(counts.bytes(), block, sync)
  }
  return Buffer.concat(parts)
}

/** Reads what `encodeContainer` writes, by the schema that the file itself carries. */
export function decodeContainer(bytes: Uint8Array): {
  readonly meta: Readonly<Record<string, string>>
  readonly records: readonly Readonly<Record<string, unknown>>[]
} {
  const reader = new AvroReader(bytes)
  if (!reader.take(MAGIC.length).equals(MAGIC)) {
    throw new ConnectError('Expected an Avro container file, got other bytes at its start.')
  }
  const meta = Object.fromEntries(
    reader.blocks(() => [reader.string(), reader.string()] as const),
  ) as Record<string, string>
  const codec = meta['avro.codec'] ?? 'null'
  if (codec !== 'null') {
    throw new ConnectError(`Expected an Avro file with codec null, got codec ${codec}.`)
  }
  const schema = JSON.parse(meta['avro.schema'] ?? 'null') as AvroSchema
  const sync = reader.take(SYNC_BYTES)
  const records: Record<string, unknown>[] = []
  while (!reader.atEnd()) {
    const count = reader.number()
    reader.number()
    for (let i = 0; i < count; i++) records.push(reader.value(schema) as Record<string, unknown>)
    if (!reader.take(SYNC_BYTES).equals(sync)) {
      throw new ConnectError(
        'Expected the sync marker at the end of an Avro block, got other bytes.',
      )
    }
  }
  return { meta, records }
}

class AvroWriter {
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  long(value: number | bigint): void {
    this.#reserve(10)
    let n = BigInt(value)
    n = (n << 1n) ^ (n >> 63n)
    while (n > 0x7fn) {
      this.#buffer[this.#length++] = Number(n & 0x7fn) | 0x80
      n >>= 7n
    }
    this.#buffer[this.#length++] = Number(n)
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  string(value: string): void {
    const utf8 = Buffer.from(value, 'utf8')
    this.long(utf8.length)
    this.raw(utf8)
  }

  value(schema: AvroSchema, value: unknown): void {
    if (typeof schema === 'string') this.#primitive(schema, value)
    else if (isUnion(schema)) this.#union(schema, value)
    else if (schema.type === 'record') {
      const record = value as Readonly<Record<string, unknown>>
      for (const field of schema.fields) this.value(field.type, record[field.name] ?? null)
    } else {
      const items = value as readonly unknown[]
      if (items.length > 0) {
        this.long(items.length)
        for (const item of items) this.value(schema.items, item)
      }
      this.long(0)
    }
  }

  #union(schema: readonly AvroSchema[], value: unknown): void {
    const index = schema.findIndex((branch) => (branch === 'null') === (value === null))
    this.long(index)
    if (value !== null) this.value(schema[index] ?? 'null', value)
  }

  #primitive(type: AvroPrimitive, value: unknown): void {
    switch (type) {
      case 'null':
        return
      case 'boolean':
        return this.raw(Buffer.from([value === true ? 1 : 0]))
      case 'int':
      case 'long':
        return this.long(value as number | bigint)
      case 'bytes':
        this.long((value as Uint8Array).length)
        return this.raw(value as Uint8Array)
      case 'string':
        return this.string(value as string)
      case 'float':
      case 'double':
        throw new ConnectError(`Expected a manifest schema without ${type}, got one with it.`)
    }
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const next = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(next, 0, 0, this.#length)
    this.#buffer = next
  }
}

class AvroReader {
  readonly #buffer: Buffer
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  atEnd(): boolean {
    return this.#position >= this.#buffer.length
  }

  take(bytes: number): Buffer {
    if (bytes < 0 || this.#position + bytes > this.#buffer.length) {
      throw new ConnectError(
        `Expected ${bytes} more bytes in an Avro file, got ${this.#buffer.length - this.#position}.`,
      )
    }
    this.#position += bytes
    return this.#buffer.subarray(this.#position - bytes, this.#position)
  }

  /** A `number` where that is exact, else a `bigint`. */
  long(): number | bigint {
    let n = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0] ?? 0
      n |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        const value = BigInt.asIntN(64, (n >> 1n) ^ -(n & 1n))
        const small = Number(value)
        return Number.isSafeInteger(small) ? small : value
      }
    }
    throw new ConnectError('Expected an Avro long of at most 10 bytes, got a longer one.')
  }

  number(): number {
    return Number(this.long())
  }

  string(): string {
    return this.take(this.number()).toString('utf8')
  }

  blocks<T>(item: () => T): T[] {
    const items: T[] = []
    for (;;) {
      let count = this.number()
      if (count === 0) return items
      if (count < 0) {
        count = -count
        this.long() // The block's size in bytes, for readers that skip it.
      }
      for (let i = 0; i < count; i++) items.push(item())
    }
  }

  value(schema: AvroSchema): unknown {
    if (typeof schema === 'string') return this.#primitive(schema)
    if (isUnion(schema)) return this.value(schema[this.number()] ?? 'null')
    if (schema.type === 'record') {
      return Object.fromEntries(schema.fields.map(({ name, type }) => [name, this.value(type)]))
    }
    if (schema.type === 'array') return this.blocks(() => this.value(schema.items))
    // Written by others, e.g. `{"type": "long", "logicalType": …}`.
    return this.value((schema as { readonly type: AvroSchema }).type)
  }

  #primitive(type: AvroPrimitive): unknown {
    switch (type) {
      case 'null':
        return null
      case 'boolean':
        return this.take(1)[0] === 1
      case 'int':
      case 'long':
        return this.long()
      case 'float':
        return this.take(4).readFloatLE(0)
      case 'double':
        return this.take(8).readDoubleLE(0)
      case 'bytes':
        return new Uint8Array(this.take(this.number()))
      case 'string':
        return this.string()
      default:
        throw new ConnectError(`Expected an Avro type that manifests have, got ${String(type)}.`)
    }
  }
}

const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema)
