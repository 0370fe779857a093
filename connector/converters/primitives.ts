// The converters of single numbers and booleans, org.apache.kafka.connect.converters.*.
import { ConfigDef } from '../api/config-def.ts'
import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import { DataError } from '../api/errors.ts'
import { javaClassOf } from '../api/java-text.ts'
import type { Header } from '../api/records.ts'
import type { Schema, SchemaAndValue, SchemaType } from '../api/schema.ts'
import { CONVERTER_TYPE } from './converter-type.ts'

const CONFIG = new ConfigDef({ ...CONVERTER_TYPE })

abstract class PrimitiveConverter implements Converter, HeaderConverter {
  abstract fromConnectData(
    topic: string,
    headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Uint8Array | null
  abstract toConnectData(
    topic: string,
    headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData

  configure(): void {}

  config(): ConfigDef {
    return CONFIG
  }

  toConnectHeader(topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    return this.toConnectData(topic, [], bytes)
  }

  fromConnectHeader(topic: string, header: Header): Uint8Array | null {
    return this.fromConnectData(topic, [], header.schema, header.value)
  }
}

const OPTIONAL_BOOLEAN: Schema = { type: 'BOOLEAN', optional: true }

/** BooleanConverter: one byte, 0 or 1. */
export class BooleanConverter extends PrimitiveConverter {
  fromConnectData(
    _topic: string,
    _headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Uint8Array | null {
    if (schema !== null && schema.type !== 'BOOLEAN') {
      throw new DataError(`Invalid schema type for BooleanConverter: ${schema.type}`)
    }
    if (value === null || value === undefined) return null
    if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
    throw new DataError(
      `BooleanConverter is not compatible with objects of type class ${javaClassOf(value)}`,
    )
  }

  toConnectData(
    _topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData {
    if (bytes === null) return { schema: OPTIONAL_BOOLEAN, value: null }
    if (bytes.length !== 1) {
      throw new DataError(
        `Failed to deserialize boolean: expected 1 byte, got ${bytes.length} bytes`,
      )
    }
    const byte = bytes[0]
    if (byte === 0 || byte === 1) return { schema: OPTIONAL_BOOLEAN, value: byte === 1 }
    throw new DataError(`Failed to deserialize boolean: expected 0 or 1, got ${byte}`)
  }
}

interface NumberFormat {
  readonly type: SchemaType
  readonly bytes: number
  /** Undefined: not a number of this type. */
  readonly write: (buffer: Buffer, value: unknown) => number | undefined
  readonly read: (buffer: Buffer) => number | bigint
}

const isInteger = (value: unknown, bits: 16 | 32): value is number =>
  typeof value === 'number' &&
  Number.isInteger(value) &&
  value >= -(2 ** (bits - 1)) &&
  value < 2 ** (bits - 1)

const isLong = (value: unknown): value is bigint | number =>
  typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value)

/** Kafka's serializers: big-endian, of fixed length. */
const FORMATS = {
  short: {
    type: 'INT16',
    bytes: 2,
    write: (buffer, value) => (isInteger(value, 16) ? buffer.writeInt16BE(value) : undefined),
    read: (buffer) => buffer.readInt16BE(),
  },
  integer: {
    type: 'INT32',
    bytes: 4,
    write: (buffer, value) => (isInteger(value, 32) ? buffer.writeInt32BE(value) : undefined),
    read: (buffer) => buffer.readInt32BE(),
  },
  long: {
    type: 'INT64',
    bytes: 8,
    write: (buffer, value) => (isLong(value) ? buffer.writeBigInt64BE(BigInt(value)) : undefined),
    read: (buffer) => buffer.readBigInt64BE(),
  },
  float: {
    type: 'FLOAT32',
    bytes: 4,
    write: (buffer, value) => (typeof value === 'number' ? buffer.writeFloatBE(value) : undefined),
    read: (buffer) => buffer.readFloatBE(),
  },
  double: {
    type: 'FLOAT64',
    bytes: 8,
    write: (buffer, value) => (typeof value === 'number' ? buffer.writeDoubleBE(value) : undefined),
    read: (buffer) => buffer.readDoubleBE(),
  },
} as const satisfies Record<string, NumberFormat>

class NumberConverter extends PrimitiveConverter {
  readonly #name: string
  readonly #format: NumberFormat
  readonly #schema: Schema

  constructor(name: string, format: NumberFormat) {
    super()
    this.#name = name
    this.#format = format
    this.#schema = { type: format.type, optional: true }
  }

  fromConnectData(
    _topic: string,
    _headers: readonly Header[],
    _schema: Schema | null,
    value: unknown,
  ): Uint8Array | null {
    if (value === null || value === undefined) return null
    const buffer = Buffer.alloc(this.#format.bytes)
    if (this.#format.write(buffer, value) === undefined) {
      throw new DataError(`Failed to serialize to ${this.#name} (was class ${javaClassOf(value)})`)
    }
    return buffer
  }

  toConnectData(
    _topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData {
    if (bytes === null) return { schema: this.#schema, value: null }
    const { length } = bytes
    if (length !== this.#format.bytes) {
      throw new DataError(
        `Failed to deserialize ${this.#name}: expected ${this.#format.bytes} bytes, got ${length}`,
      )
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, length)
    return { schema: this.#schema, value: this.#format.read(buffer) }
  }
}

/** ShortConverter, IntegerConverter, LongConverter, FloatConverter or DoubleConverter. */
export const numberConverter = (name: keyof typeof FORMATS): Converter & HeaderConverter =>
  new NumberConverter(name, FORMATS[name])
