import type { ConvertedData } from '../api/converter.ts'
import type { EncodedAvro } from '../api/encoded-avro.ts'
import { DataError, toMessage } from '../api/errors.ts'
import type { Schema } from '../api/schema.ts'
import { type NamedTypes, parseAvro, printAvro } from './avro-node.ts'
import { type AvroDataOptions, toConnectSchema } from './avro-to-connect.ts'
import { type AvroType, compileType } from './avro-type.ts'
import { type AvroWalker, compileWalker } from './avro-walker.ts'

/** Everything that values of one writer's schema are read with. */
export interface AvroReader {
  readonly schemaId: number
  readonly writerSchema: unknown
  /** Null for Avro's null. */
  readonly schema: Schema | null
  readonly walk: AvroWalker
  /** Compiled at the first object that somebody asks for. */
  type(): AvroType
}

/** Throws a `DataError` for a schema that cannot be used. `names` are the types of the schemas it refers to. */
export function compileReader(
  schemaId: number,
  text: string,
  options: AvroDataOptions & { readonly names: NamedTypes },
): AvroReader {
  const fromElsewhere = options.names.size > 0
  const json: unknown = parseJson(text, schemaId)
  const node = parseAvro(json, options.names)
  const writerSchema = fromElsewhere ? printAvro(node) : json
  const schema = toConnectSchema(node, options)
  let type: AvroType | undefined
  return {
    schemaId,
    writerSchema,
    schema: schema === null ? null : { ...schema, avro: writerSchema },
    walk: compileWalker(node),
    type: () => (type ??= compileType(node, options.enhanced)),
  }
}

/** The text of a schema as JSON; a bare name of a primitive type is one too. */
export function parseJson(text: string, schemaId: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (/^\w+$/.test(text)) return text // Old registries kept `string` for `"string"`.
    throw new DataError(`The schema with id ${schemaId} is not JSON: ${toMessage(error)}`, {
      cause: error,
    })
  }
}

/** Both what the converter answers and the bytes that it speaks of: one object for each record instead of two. */
class LazyValue implements ConvertedData, EncodedAvro {
  readonly bytes: Uint8Array
  readonly #reader: AvroReader
  #value: unknown
  constructor(bytes: Uint8Array, reader: AvroReader) {
    this.bytes = bytes
    this.#reader = reader
  }
  get schema(): Schema | null {
    return this.#reader.schema
  }
  get value(): unknown {
    if (this.#value === undefined) this.#value = this.decode()
    return this.#value
  }
  get encoded(): EncodedAvro {
    return this
  }
  get writerSchema(): unknown {
    return this.#reader.writerSchema
  }
  get schemaId(): number {
    return this.#reader.schemaId
  }
  decode(): unknown {
    const { buffer, byteOffset, length } = this.bytes
    return this.#reader.type().fromBuffer(Buffer.from(buffer, byteOffset, length))
  }
}

/** A checked value whose object is made when it is asked for. Throws a `DataError` when the bytes are not one. */
export function readLazily(reader: AvroReader, bytes: Uint8Array, start: number): ConvertedData {
  reader.walk(bytes, start)
  return new LazyValue(bytes.subarray(start), reader)
}
