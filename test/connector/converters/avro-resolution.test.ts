import { describe, expect, test } from 'vitest'
import { parseAvro } from '../../../connector/converters/avro-node.ts'
import { unreadable } from '../../../connector/converters/avro-resolution.ts'

const check = (reader: unknown, writer: unknown): string | undefined =>
  unreadable(parseAvro(reader), parseAvro(writer))
const record = (fields: readonly object[], rest: object = {}) => ({
  type: 'record',
  name: 'R',
  fields,
  ...rest,
})
const NODE = record([
  { name: 'v', type: 'int' },
  { name: 'next', type: ['null', 'R'] },
])

describe('what one Avro schema can read of another', () => {
  test.each([
    ['the same', NODE, NODE],
    ['promotions', 'double', 'int'],
    ['bytes and text', 'string', 'bytes'],
    ['a branch', ['null', 'long'], 'int'],
    ['a union of what all can be read', 'double', ['int', 'long']],
    ['a default', record([{ name: 'a', type: 'int', default: 1 }]), record([])],
    ['a field too many', record([]), record([{ name: 'a', type: 'int' }])],
    [
      'an alias of a field',
      record([{ name: 'b', type: 'int', aliases: ['a'] }]),
      record([{ name: 'a', type: 'int' }]),
    ],
    ['another namespace', record([], { namespace: 'x' }), record([], { namespace: 'y' })],
    [
      'an enum with a default',
      { type: 'enum', name: 'E', symbols: ['A'], default: 'A' },
      { type: 'enum', name: 'E', symbols: ['B'] },
    ],
  ])('%s', (_name, reader, writer) => {
    expect(check(reader, writer)).toBeUndefined()
  })

  test.each([
    ['int', 'long', 'the schema: expected int, got long'],
    [['null', 'int'], 'string', 'no branch of the union takes string'],
    ['int', ['null', 'int'], 'expected int, got null'],
    [record([{ name: 'a', type: 'int' }]), record([]), 'field a: is missing and has no default'],
    [record([], { name: 'S' }), record([]), 'expected S, got R'],
    [
      { type: 'enum', name: 'E', symbols: ['A'] },
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      'no symbol B',
    ],
    [
      { type: 'fixed', name: 'F', size: 2 },
      { type: 'fixed', name: 'F', size: 3 },
      '2 bytes, got 3',
    ],
    [
      record([{ name: 'a', type: { type: 'array', items: 'int' } }]),
      record([{ name: 'a', type: { type: 'array', items: 'string' } }]),
      'field a[]: expected int, got string',
    ],
    [{ type: 'map', values: 'int' }, { type: 'map', values: 'string' }, 'field {}'],
    [
      record([
        { name: 'v', type: 'string' },
        { name: 'next', type: ['null', 'R'] },
      ]),
      NODE,
      'field v: expected string, got int',
    ],
  ])('%j does not read %j', (reader, writer, problem) => {
    expect(check(reader, writer)).toContain(problem)
  })
})
