// Avro records as a sink task is given them.
import { createRequire } from 'node:module'
import type { Type } from 'avsc'
import type { EncodedAvro } from '../../connector/api/encoded-avro.ts'

const avsc = createRequire(import.meta.url)('avsc') as typeof import('avsc')

/** Makes the bytes that the Avro converter would hand out for values of one schema. */
export function encodedAvro(
  writerSchema: object,
  schemaId: number,
): (value: unknown) => EncodedAvro {
  const type: Type = avsc.Type.forSchema(writerSchema as Parameters<typeof avsc.Type.forSchema>[0])
  return (value) => {
    const bytes = type.toBuffer(value)
    return { bytes, writerSchema, schemaId, decode: () => type.fromBuffer(bytes) as unknown }
  }
}
