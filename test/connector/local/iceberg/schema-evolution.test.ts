import { describe, expect, test } from 'vitest'
import { evolveSchema } from '../../../../connector/local/iceberg/schema-evolution.ts'
import { assignIds, leaves } from '../../../../connector/local/iceberg/schema.ts'
import type { IcebergStruct, SchemaChange } from '../../../../connector/local/iceberg/types.ts'
import { column } from './temporary-warehouse.ts'

const { fields, lastId } = assignIds(
  [
    column('N', 'int', true),
    column('P', { type: 'struct', fields: [column('LAT', 'float'), column('D', 'decimal(5,2)')] }),
    column('L', {
      type: 'list',
      element: { type: 'struct', fields: [column('A', 'int')] },
      elementRequired: true,
    }),
    column('M', { type: 'map', key: 'string', value: 'int', valueRequired: true }),
  ],
  0,
)
const schema: IcebergStruct = { type: 'struct', fields }
const evolve = (...changes: SchemaChange[]) => evolveSchema(schema, lastId, changes)
const ids = (struct: IcebergStruct) =>
  Object.fromEntries(leaves(struct).map(({ path, id }) => [path.join('.'), id]))

describe('field ids', () => {
  test('are given level by level', () => {
    expect(fields.map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(ids(schema)).toEqual({
      N: 1,
      'P.LAT': 5,
      'P.D': 6,
      'L.element.A': 8,
      'M.key': 9,
      'M.value': 10,
    })
    expect(lastId).toBe(10)
  })

  test('stay with a field and are never used again', () => {
    const dropped = evolve({ kind: 'drop', path: ['P', 'LAT'] })
    const added = evolveSchema({ type: 'struct', fields: dropped.fields }, dropped.lastId, [
      { kind: 'add', parent: ['P'], field: column('LAT', 'double') },
      { kind: 'rename', path: ['N'], name: 'N2' },
      { kind: 'add', parent: ['L', 'element'], field: column('B', 'string') },
    ])
    expect(ids({ type: 'struct', fields: added.fields })).toEqual({
      N2: 1,
      'P.D': 6,
      'P.LAT': 11,
      'L.element.A': 8,
      'L.element.B': 12,
      'M.key': 9,
      'M.value': 10,
    })
  })
})

describe('a change', () => {
  test('of a type widens it only', () => {
    const types = leaves({
      type: 'struct',
      fields: evolve(
        { kind: 'promote', path: ['N'], type: 'long' },
        { kind: 'promote', path: ['P', 'LAT'], type: 'double' },
        { kind: 'promote', path: ['P', 'D'], type: 'decimal(38,2)' },
        { kind: 'promote', path: ['M', 'value'], type: 'long' },
      ).fields,
    }).map(({ type }) => type)
    expect(types).toEqual(['long', 'double', 'decimal(38,2)', 'int', 'string', 'long'])
  })

  test('to optional reaches fields, elements and map values', () => {
    const [n, , list, map] = evolve(
      { kind: 'optional', path: ['N'] },
      { kind: 'optional', path: ['L', 'element'] },
      { kind: 'optional', path: ['M', 'value'] },
    ).fields
    expect(n?.required).toBe(false)
    expect(list?.type).toMatchObject({ 'element-required': false })
    expect(map?.type).toMatchObject({ 'value-required': false })
  })

  test.each<[string, SchemaChange]>([
    ['a narrower type', { kind: 'promote', path: ['P', 'D'], type: 'decimal(4,2)' }],
    ['another scale', { kind: 'promote', path: ['P', 'D'], type: 'decimal(6,3)' }],
    ['int to string', { kind: 'promote', path: ['N'], type: 'string' }],
    ['a struct to a primitive', { kind: 'promote', path: ['P'], type: 'string' }],
    ['a required field added', { kind: 'add', parent: [], field: column('X', 'int', true) }],
    ['a name that is taken', { kind: 'add', parent: [], field: column('n', 'int') }],
    ['a rename to a name that is taken', { kind: 'rename', path: ['N'], name: 'P' }],
    ['an unknown field', { kind: 'drop', path: ['P', 'X'] }],
    ['an unknown parent', { kind: 'add', parent: ['N'], field: column('X', 'int') }],
    ['the last field of a struct dropped', { kind: 'drop', path: ['L', 'element', 'A'] }],
    ['a map key', { kind: 'promote', path: ['M', 'key'], type: 'string' }],
  ])('is refused: %s', (_name, change) => {
    expect(() => evolve(change)).toThrow('Expected')
  })
})
