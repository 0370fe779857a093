import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AvroConverter } from '../../connector/converters/avro.ts'
import { schemaFromAvro } from '../../source-mta/avro-schema.ts'
import { VEHICLE_POSITION_SCHEMA } from '../../source-mta/record-schemas.ts'
import { FakeClock } from '../support/fake-clock.ts'
import {
  FIXTURES,
  acceptBody,
  fixtureBody,
  newFeedState,
  valuesOf,
} from '../support/feed-fixtures.ts'
import { ROOT } from '../support/needs.ts'
import { type TestRegistry, startTestRegistry } from '../support/registry.ts'

const TOPIC = 'mta.vehicle_position.v1'
let registry: TestRegistry
beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(() => registry.remove())

const random = (): number => 0.5

function newConverter(): AvroConverter {
  const converter = new AvroConverter({ clock: new FakeClock(), random, log: registry.log })
  converter.configure({ 'schema.registry.url': registry.url }, false)
  return converter
}

/** Buffers as the bytes that they are. */
const plain = (value: unknown): unknown => {
  const record = value as Readonly<Record<string, unknown>>
  const { unknown_fields: bytes } = record
  return { ...record, unknown_fields: bytes instanceof Uint8Array ? [...bytes] : bytes }
}

describe('VehiclePosition', () => {
  test.each(FIXTURES)('%s: every record is the same after Avro', async (name, profile) => {
    const values = valuesOf(acceptBody(newFeedState(profile), fixtureBody(name)))
    const converter = newConverter()
    for (const value of values) {
      const bytes = await converter.fromConnectData(TOPIC, [], VEHICLE_POSITION_SCHEMA, value)
      const read = await converter.toConnectData(TOPIC, [], bytes)
      expect(plain(read.value)).toEqual(plain(value))
    }
    converter.close()
  })

  test('registers the file as it is', async () => {
    const values = valuesOf(acceptBody(newFeedState('nyct'), fixtureBody('oba_g')))
    await newConverter().fromConnectData(TOPIC, [], VEHICLE_POSITION_SCHEMA, values[0])
    const { body } = await registry.call('GET', `/subjects/${TOPIC}-value/versions/latest`)
    const file = readFileSync(path.join(ROOT, 'schemas/vehicle_position.avsc'), 'utf8')
    expect(JSON.parse((body as { schema: string }).schema)).toEqual(JSON.parse(file))
  })

  test('has the fields of the specification, each with a doc, and a default where it may be null', () => {
    const { fields = [], name } = VEHICLE_POSITION_SCHEMA
    expect(name).toBe('info.mta.transit.rt.v1.VehiclePosition')
    expect(fields).toHaveLength(47)
    expect(fields.filter(({ schema }) => schema.doc === undefined)).toEqual([])
    const avro = VEHICLE_POSITION_SCHEMA.avro as {
      readonly fields: readonly { readonly type: unknown; readonly default?: unknown }[]
    }
    const optional = avro.fields.filter(({ type }) => Array.isArray(type))
    expect(optional.filter((field) => field.default !== null)).toEqual([])
  })
})

describe('schemaFromAvro', () => {
  test('refuses a type that no schema of ours has', () => {
    expect(() => schemaFromAvro({ type: 'map', values: 'int' })).toThrow('Unsupported Avro type')
    expect(() => schemaFromAvro(['int', 'string'])).toThrow('Unsupported Avro type')
  })
})
