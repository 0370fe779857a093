import * as fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { describe, expect, test } from 'vitest'
import { ProtobufWriter } from '../../../source-mta/simulator/protobuf-writer.ts'
import {
  joinMessage,
  splitMessage,
  wireFields,
} from '../../../source-mta/simulator/wire-message.ts'

function attempt(run: () => number): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

const fieldNumber = fc.integer({ min: 1, max: 2 ** 20 })

describe('ProtobufWriter', () => {
  test('writes what protobufjs writes', () => {
    fc.assert(
      fc.property(
        fieldNumber,
        fc.record({
          positive: fc.maxSafeNat(),
          negative: fc.integer({ min: -(2 ** 31), max: -1 }),
          text: fc.string({ unit: 'grapheme' }),
          float: fc.float({ noNaN: true }),
        }),
        (field, { positive, negative, text, float }) => {
          const theirs = protobuf.Writer.create()
          theirs.uint32(field << 3).uint64(positive)
          theirs.uint32(field << 3).int32(negative)
          theirs.uint32((field << 3) | 2).string(text)
          theirs.uint32((field << 3) | 5).float(float)
          const ours = new ProtobufWriter()
          ours.varint(field, positive).varint(field, negative).string(field, text)
          ours.float(field, float)
          expect(Buffer.from(ours.finish())).toEqual(Buffer.from(theirs.finish()))
        },
      ),
    )
  })
})

describe('wireFields', () => {
  test('finds again what was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fieldNumber, fc.uint8Array({ maxLength: 300 })), { maxLength: 20 }),
        (parts) => {
          const out = new ProtobufWriter()
          for (const [field, bytes] of parts) out.bytes(field, bytes)
          const found = wireFields(out.finish()).map(({ number, payload }) => [
            number,
            [...payload],
          ])
          expect(found).toEqual(parts.map(([field, bytes]) => [field, [...bytes]]))
        },
      ),
    )
  })

  test('throws a RangeError for bytes that are no protobuf, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const outcome = attempt(() => wireFields(bytes).reduce((sum, f) => sum + f.whole.length, 0))
        expect(outcome === bytes.length || outcome instanceof RangeError).toBe(true)
      }),
    )
  })
})

describe('splitMessage', () => {
  test('takes a message apart and joinMessage puts it together again', () => {
    const bytes = new ProtobufWriter()
      .message(1, (header) => header.string(1, '2.0'))
      .message(2, (entity) => entity.string(1, 'a'))
      .message(2, (entity) => entity.string(1, 'b'))
      .finish()
    const message = splitMessage(bytes)
    expect(message.entities).toHaveLength(2)
    expect(joinMessage(message)).toEqual(bytes)
  })

  test('wants a header', () => {
    expect(() => splitMessage(new Uint8Array())).toThrow('The message has no header.')
  })
})
