import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConvertedData } from '../../../connector/api/converter.ts'
import { ConfigError, DataError } from '../../../connector/api/errors.ts'
import { fields, type Schema } from '../../../connector/api/schema.ts'
import { AvroConverter } from '../../../connector/converters/avro.ts'
import { converters, rejection } from '../../support/avro-converters.ts'
import { startTestRegistry, type TestRegistry } from '../../support/registry.ts'

const AVRO = {
  type: 'record',
  name: 'Vehicle',
  namespace: 'mta',
  doc: 'One vehicle.',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'seen', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'speed', type: ['null', 'float'], default: null },
  ],
}
const SCHEMA: Schema = { type: 'STRUCT', optional: false, name: 'mta.Vehicle', avro: AVRO }
const VALUE = { id: 'L1', seen: 1_700_000_000_000_000n, speed: 1.5 }

const { converter, clock, log } = converters()

describe('AvroConverter with a registry', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry()
  })
  afterAll(() => registry.remove())

  test('writes Confluent’s format and reads it back, leaving the value as bytes', async () => {
    const avro = converter(registry.url)
    const bytes = await avro.fromConnectData('t1', [], SCHEMA, VALUE)
    const latest = await registry.call('GET', '/subjects/t1-value/versions/latest')
    expect(bytes?.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, latest.body.id]))
    expect(JSON.parse(latest.body.schema)).toEqual(AVRO)
    const data = await avro.toConnectData('t1', [], bytes)
    expect(data.encoded).toMatchObject({ schemaId: latest.body.id, writerSchema: AVRO })
    expect(Buffer.from(data.encoded?.bytes ?? [])).toEqual(bytes?.subarray(5))
    expect(data.value).toEqual(VALUE)
    expect(data.value).toBe(data.value)
    expect(data.schema).toMatchObject({ type: 'STRUCT', name: 'mta.Vehicle', doc: 'One vehicle.' })
    expect(
      data.schema?.fields?.map(({ name, schema }) => [name, schema.type, schema.optional]),
    ).toEqual([
      ['id', 'STRING', false],
      ['seen', 'INT64', false],
      ['speed', 'FLOAT32', true],
    ])
  })

  test('answers without a promise once a schema is known', async () => {
    const avro = converter(registry.url)
    const first = avro.fromConnectData('t1', [], SCHEMA, VALUE)
    expect(first).toBeInstanceOf(Promise)
    const bytes = await first
    expect(avro.fromConnectData('t1', [], SCHEMA, VALUE)).toEqual(bytes)
    // Another object that says the same: no promise either.
    expect(avro.fromConnectData('t1', [], { ...SCHEMA }, VALUE)).toEqual(bytes)
    await avro.toConnectData('t1', [], bytes)
    const again = avro.toConnectData('t1', [], bytes) as ConvertedData
    expect(again.value).toEqual(VALUE)
    const other = avro.toConnectData('t1', [], bytes) as ConvertedData
    expect(other.encoded?.writerSchema).toBe(again.encoded?.writerSchema)
    expect(other.schema).toBe(again.schema)
  })

  test('a schema that was read writes the same Avro again', async () => {
    const avro = converter(registry.url)
    const bytes = await avro.fromConnectData('t1', [], SCHEMA, VALUE)
    const { schema, value } = await avro.toConnectData('t1', [], bytes)
    expect(await avro.fromConnectData('t1', [], schema, value)).toEqual(bytes)
  })

  test.each([
    ['TopicNameStrategy', 't2-value'],
    ['io.confluent.kafka.serializers.subject.RecordNameStrategy', 'mta.Vehicle'],
    ['TopicRecordNameStrategy', 't2-mta.Vehicle'],
  ])('%s uses the subject %s', async (strategy, subject) => {
    const avro = converter(registry.url, { 'value.subject.name.strategy': strategy })
    await avro.fromConnectData('t2', [], SCHEMA, VALUE)
    expect((await registry.call('GET', '/subjects')).body).toContain(subject)
  })

  test('keys have a subject of their own, and a primitive is a schema too', async () => {
    const avro = converter(registry.url, {}, true)
    const bytes = await avro.fromConnectData('t3', [], { type: 'STRING', optional: false }, 'k')
    expect((await registry.call('GET', '/subjects/t3-key/versions/1/schema')).body).toBe('string')
    expect((await avro.toConnectData('t3', [], bytes)).value).toBe('k')
  })

  test('leaves the subject’s settings alone, whatever they are', async () => {
    await registry.call('PUT', '/config/t4-value', { compatibility: 'FULL_TRANSITIVE' })
    await converter(registry.url).fromConnectData('t4', [], SCHEMA, VALUE)
    await converter(registry.url).fromConnectData('t5', [], SCHEMA, VALUE)
    expect((await registry.call('GET', '/config/t4-value')).body.compatibilityLevel).toBe(
      'FULL_TRANSITIVE',
    )
    expect((await registry.call('GET', '/config/t5-value')).status).toBe(404)
  })

  test('an incompatible schema is a DataError with subject, schema and the registry’s reason', async () => {
    const avro = converter(registry.url)
    await avro.fromConnectData('t6', [], SCHEMA, VALUE)
    const more = { ...AVRO, fields: [...AVRO.fields, { name: 'must', type: 'int' }] }
    const error = await rejection(() =>
      avro.fromConnectData('t6', [], { ...SCHEMA, avro: more }, { ...VALUE, must: 1 }),
    )
    expect(error).toBeInstanceOf(DataError)
    expect((error as Error).message).toMatch(
      /t6-value.*READER_FIELD_MISSING_DEFAULT_VALUE.*40901.*"must"/s,
    )
  })

  test('without auto-registration a schema must be there, or the latest one is used', async () => {
    const strict = converter(registry.url, { 'auto.register.schemas': 'false' })
    const missing = await rejection(() => strict.fromConnectData('t7', [], SCHEMA, VALUE))
    expect(missing).toBeInstanceOf(DataError)
    const latest = converter(registry.url, {
      'auto.register.schemas': 'false',
      'use.latest.version': 'true',
    })
    const more = { ...AVRO, fields: [...AVRO.fields, { name: 'extra', type: 'int', default: 9 }] }
    const body = { schema: JSON.stringify(more) }
    const { id } = (await registry.call('POST', '/subjects/t7-value/versions', body)).body
    const bytes = await latest.fromConnectData('t7', [], SCHEMA, VALUE)
    const read = await latest.toConnectData('t7', [], bytes)
    expect(read.encoded?.schemaId).toBe(id)
    expect(read.value).toEqual({ ...VALUE, extra: 9 })
  })

  test('the latest schema is refused where it cannot read the record’s, by the field', async () => {
    const props = { 'auto.register.schemas': 'false', 'use.latest.version': 'true' }
    const [first] = AVRO.fields
    const other = { ...AVRO, fields: [{ ...first, type: 'int' }, ...AVRO.fields.slice(1)] }
    const body = { schema: JSON.stringify(other) }
    await registry.call('POST', '/subjects/latest-value/versions', body)
    const error = await rejection(() =>
      converter(registry.url, props).fromConnectData('latest', [], SCHEMA, VALUE),
    )
    expect(error).toBeInstanceOf(DataError)
    expect((error as Error).message).toMatch(
      /latest-value.*field id: expected int, got string.*latest\.compatibility\.strict/s,
    )
    // Without the check the value itself is what does not fit.
    const lenient = converter(registry.url, { ...props, 'latest.compatibility.strict': 'false' })
    const unwritable = await rejection(() => lenient.fromConnectData('latest', [], SCHEMA, VALUE))
    expect((unwritable as Error).message).not.toContain('latest.compatibility.strict')
  })

  test('reads a schema with references as one that stands alone', async () => {
    const base = {
      type: 'record',
      name: 'Base',
      namespace: 'n',
      fields: [{ name: 'x', type: 'long' }],
    }
    await registry.call('POST', '/subjects/base/versions', { schema: JSON.stringify(base) })
    const user = {
      type: 'record',
      name: 'User',
      namespace: 'n',
      fields: [{ name: 'b', type: 'n.Base' }],
    }
    const { id } = (
      await registry.call('POST', '/subjects/user/versions', {
        schema: JSON.stringify(user),
        references: [{ name: 'n.Base', subject: 'base', version: 1 }],
      })
    ).body
    const data = await converter(registry.url).toConnectData(
      't',
      [],
      Buffer.from([0, 0, 0, 0, id, 10]),
    )
    expect(data.value).toEqual({ b: { x: 5n } })
    expect(data.encoded?.writerSchema).toEqual({ ...user, fields: [{ name: 'b', type: base }] })
  })

  test('what cannot be decoded fails in the converter, with topic and reason', async () => {
    const avro = converter(registry.url)
    const bytes = Buffer.from((await avro.fromConnectData('t1', [], SCHEMA, VALUE)) ?? [])
    for (const [bad, reason] of [
      [bytes.subarray(0, -1), /Topic t1 with schema id \d+: .*ends in the middle/],
      [Buffer.concat([bytes, Buffer.alloc(1)]), /ends at byte/],
      [Buffer.from('{"json":1}'), /Topic t1: expected an Avro message/],
      [Buffer.alloc(0), /got nothing/],
      [Buffer.from([0, 0, 0, 99, 99, 0]), /id 25443.*40403/],
    ] as const) {
      const error = await rejection(() => avro.toConnectData('t1', [], bad))
      expect(error).toBeInstanceOf(DataError)
      expect((error as Error).message).toMatch(reason)
    }
  })

  test('null is null; a required value is not', async () => {
    const avro = converter(registry.url)
    expect(avro.fromConnectData('t', [], null, null)).toBeNull()
    expect(avro.fromConnectData('t', [], { ...SCHEMA, optional: true }, null)).toBeNull()
    expect(await avro.toConnectData('t', [], null)).toEqual({ schema: null, value: null })
    expect(await rejection(() => avro.fromConnectData('t', [], SCHEMA, null))).toBeInstanceOf(
      DataError,
    )
  })

  test('a scalar without a schema gets one, an object is refused', async () => {
    const avro = converter(registry.url)
    const bytes = await avro.fromConnectData('t8', [], null, 5n)
    expect((await avro.toConnectData('t8', [], bytes)).value).toBe(5n)
    expect(await rejection(() => avro.fromConnectData('t8', [], null, { a: 1 }))).toBeInstanceOf(
      DataError,
    )
  })
})

describe('AvroConverter’s configuration', () => {
  test('names every problem at once', () => {
    const avro = new AvroConverter({ clock, random: () => 0, log })
    const run = (): void =>
      avro.configure({ 'schema.registry.url': 'ftp://x', 'max.retries': 'many' }, false)
    expect(run).toThrow(ConfigError)
    expect(run).toThrow(/schema\.registry\.url[\s\S]*max\.retries/)
    expect(() => avro.configure({}, false)).toThrow(/schema\.registry\.url/)
  })
})

describe('Connect schemas that were not made from Avro', () => {
  test('are registered as Confluent’s AvroData writes them', async () => {
    const registry = await startTestRegistry()
    const schema: Schema = {
      type: 'STRUCT',
      optional: false,
      name: 'n.Row',
      fields: fields([
        ['small', { type: 'INT8', optional: false }],
        [
          'when',
          {
            type: 'INT64',
            optional: true,
            name: 'org.apache.kafka.connect.data.Timestamp',
            version: 1,
          },
        ],
        [
          'tags',
          {
            type: 'MAP',
            optional: false,
            keySchema: { type: 'STRING', optional: false },
            valueSchema: { type: 'STRING', optional: true },
          },
        ],
        ['n', { type: 'INT32', optional: true, defaultValue: 3 }],
      ]),
    }
    const avro = converter(registry.url)
    const value = { small: 1, when: new Date(5), tags: { a: 'b' }, n: 4 }
    const bytes = await avro.fromConnectData('row', [], schema, value)
    expect((await registry.call('GET', '/subjects/row-value/versions/1/schema')).body).toEqual({
      type: 'record',
      name: 'Row',
      namespace: 'n',
      fields: [
        { name: 'small', type: { type: 'int', 'connect.type': 'int8' } },
        {
          name: 'when',
          type: [
            'null',
            {
              type: 'long',
              'connect.version': 1,
              'connect.name': 'org.apache.kafka.connect.data.Timestamp',
              logicalType: 'timestamp-millis',
            },
          ],
          default: null,
        },
        { name: 'tags', type: { type: 'map', values: ['null', 'string'] } },
        { name: 'n', type: ['int', 'null'], default: 3 },
      ],
      'connect.name': 'n.Row',
    })
    const read = await avro.toConnectData('row', [], bytes)
    expect(read.value).toEqual({ ...value, tags: new Map([['a', 'b']]) })
    expect(read.schema?.fields?.map(({ schema: each }) => each.type)).toEqual([
      'INT8',
      'INT64',
      'MAP',
      'INT32',
    ])
    expect(read.schema?.fields?.[1]?.schema.name).toBe('org.apache.kafka.connect.data.Timestamp')
    await registry.remove()
  })
})
