import { inspect } from 'node:util'
import { DataError, toMessage } from '../api/errors.ts'
import { expectation, Misfit } from './avro-custom-type.ts'
import type { AvroType } from './avro-type.ts'

/** Confluent's wire format: a zero, the schema's id as four bytes, the Avro body. */
export const PREFIX_BYTES = 5
const SCRATCH_BYTES = 16 * 1024
const SCRATCH_KEPT_BYTES_MAX = 1024 * 1024
/** Far beyond what a broker takes in one message. */
const VALUE_BYTES_MAX = 512 * 1024 * 1024

/** Writes values one after the other through one buffer. */
export class AvroWriter {
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

  /** A message of its own memory. Throws a `DataError` that says which part does not fit its type. */
  write(type: AvroType, schemaId: number, value: unknown): Uint8Array {
    const end = this.#encode(type, value)
    const message = Buffer.from(this.#scratch.subarray(0, end))
    message[0] = 0
    message.writeInt32BE(schemaId, 1)
    if (this.#scratch.length > SCRATCH_KEPT_BYTES_MAX) {
      this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
    }
    return message
  }

  #encode(type: AvroType, value: unknown): number {
    for (;;) {
      let end: number
      try {
        end = type.encode(value, this.#scratch, PREFIX_BYTES)
      } catch (error) {
        throw explain(type, value, error)
      }
      if (end >= 0) return end
      // Negative: so many bytes are missing.
      const size = Math.max(this.#scratch.length * 2, this.#scratch.length - end)
      if (size > VALUE_BYTES_MAX) {
        throw new DataError(`An Avro value has more than ${VALUE_BYTES_MAX} bytes.`)
      }
      this.#scratch = Buffer.allocUnsafeSlow(size)
    }
  }
}

const SHOWN_MAX = 100

function explain(type: AvroType, value: unknown, error: unknown): DataError {
  if (error instanceof RangeError) {
    return new DataError('The value nests too deep for Avro, or contains itself.', { cause: error })
  }
  const problems: string[] = []
  type.isValid(value, {
    errorHook: (path, part, expected) => {
      const where = path.length === 0 ? 'The value' : `Field "${path.join('.')}"`
      problems.push(`${where}: expected ${expectation(expected)}, got ${show(part)}.`)
    },
  })
  const text = problems.length > 0 ? problems.slice(0, 3).join(' ') : toMessage(error)
  const reason = error instanceof Misfit && problems.length === 0 ? error.message : text
  return new DataError(reason, { cause: error })
}

function show(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return `${typeof value} ${inspect(value, { depth: 0, maxStringLength: SHOWN_MAX })}`
}
