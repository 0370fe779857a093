import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourceRecord } from '../../../connector/api/records.ts'
import { newRecord } from '../../../connector/api/new-record.ts'
import type { Transformation } from '../../../connector/api/transformation.ts'
import { KAFKA_PLUGINS } from '../../../connector/cli/kafka-plugins.ts'
import { converters } from '../../support/avro-converters.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { startTestRegistry, type TestRegistry } from '../../support/registry.ts'

const AVRO = {
  type: 'record',
  name: 'Trip',
  namespace: 'com.example',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'day', type: ['null', { type: 'int', logicalType: 'date' }], default: null },
    {
      name: 'fare',
      type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
    },
    { name: 'color', type: { type: 'enum', name: 'Color', symbols: ['RED', 'BLUE'] } },
    {
      name: 'place',
      type: [
        'null',
        {
          type: 'record',
          name: 'Place',
          fields: [
            { name: 'lat', type: 'float' },
            { name: 'lon', type: ['null', 'double'], default: null },
            { name: 'again', type: ['null', 'Place'], default: null },
          ],
        },
      ],
      default: null,
    },
    { name: 'stops', type: { type: 'array', items: 'Place' } },
    { name: 'tags', type: { type: 'map', values: 'long' } },
    { name: 'delay', type: ['null', 'int'], default: null },
  ],
}
const VALUE = {
  id: 't-1',
  at: new Date(1_700_000_000_123),
  day: new Date(86_400_000 * 19_000),
  fare: { unscaled: -1_234n, scale: 2 },
  color: 'BLUE',
  place: { lat: 40.5, lon: -73.25, again: { lat: 1.5, lon: null, again: null } },
  stops: [{ lat: 2.5, lon: 3, again: null }],
  tags: new Map([['a', 9_007_199_254_740_993n]]),
  delay: 90,
}
const PREFIX = 'org.apache.kafka.connect.transforms.'

async function transformation(
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<Transformation> {
  const descriptor = KAFKA_PLUGINS.find(({ className }) => className === PREFIX + name)
  const environment = {
    clock: new FakeClock(),
    random: () => 0,
    log: recordingLog(),
    environment: {},
  }
  const made = (await descriptor?.create(environment)) as Transformation
  made.configure(config)
  return made
}

const { converter } = converters()

describe('transformations of Avro values', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry()
  })
  afterAll(() => registry.remove())

  const read = async (topic: string, bytes: Uint8Array | null) => {
    const { schema, value } = await converter(registry.url).toConnectData(topic, [], bytes)
    return { schema, value }
  }
  const record = async (topic: string): Promise<SourceRecord> => {
    const schema = {
      type: 'STRUCT',
      optional: false,
      name: 'com.example.Trip',
      avro: AVRO,
    } as const
    const avro = converter(registry.url)
    const bytes = await avro.fromConnectData(`${topic}-from`, [], schema, VALUE)
    const { schema: valueSchema, value } = await read(`${topic}-from`, bytes)
    return {
      topic,
      kafkaPartition: undefined,
      keySchema: null,
      key: null,
      valueSchema,
      value,
      timestamp: 1_700_000_000_000,
      headers: [],
      sourcePartition: {},
      sourceOffset: {},
    }
  }

  test.each([
    ['Cast$Value', { spec: 'delay:string,id:string' }, { delay: '90' }],
    [
      'InsertField$Value',
      { 'topic.field': 'from!', 'timestamp.field': 'ts' },
      { from: 'InsertField' },
    ],
    [
      'MaskField$Value',
      { fields: 'id,delay,fare' },
      { id: '', delay: 0, fare: { unscaled: 0n, scale: 2 } },
    ],
    ['ReplaceField$Value', { renames: 'id:trip', exclude: 'delay' }, { trip: 't-1' }],
    ['SetSchemaMetadata$Value', { 'schema.name': 'com.example.Other' }, { id: 't-1' }],
    [
      'TimestampConverter$Value',
      { field: 'at', 'target.type': 'string', format: 'yyyy' },
      { at: '2023' },
    ],
    ['ExtractField$Value', { field: 'place' }, { lat: 40.5 }],
    ['HoistField$Value', { field: 'whole' }, { whole: VALUE }],
    ['HeaderFrom$Value', { fields: 'id', headers: 'h', operation: 'move' }, { delay: 90 }],
  ])('%s gives what Avro can write and read again', async (name, config, expected) => {
    const topic = name.slice(0, name.indexOf('$'))
    const before = await record(topic)
    const after = (await transformation(name, config)).apply(before)
    const { value, valueSchema } = after ?? newRecord(before, { value: null })
    const bytes = await converter(registry.url).fromConnectData(topic, [], valueSchema, value)
    const again = await read(topic, bytes)
    expect(again.value).toEqual(value)
    expect(again.value).toMatchObject(expected)
  })

  test('Flatten refuses a recursive schema, and flattens what is nested', async () => {
    const before = await record('flat')
    const flatten = await transformation('Flatten$Value', { delimiter: '_' })
    expect(() => flatten.apply(before)).toThrow('does not support recursive schemas')
    const extracted = (
      await transformation('ReplaceField$Value', { include: 'id,fare,color,at' })
    ).apply(before)
    const hoisted =
      extracted && (await transformation('HoistField$Value', { field: 'trip' })).apply(extracted)
    const flat = hoisted && flatten.apply(hoisted)
    const bytes = await converter(registry.url).fromConnectData(
      'flat',
      [],
      flat?.valueSchema ?? null,
      flat?.value,
    )
    expect((await read('flat', bytes)).value).toEqual({
      trip_id: 't-1',
      trip_fare: VALUE.fare,
      trip_color: 'BLUE',
      trip_at: VALUE.at,
    })
  })
})
