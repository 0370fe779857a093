// Our Avro converter against a registry that somebody else wrote: the same steps, the same outcomes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError } from '../../connector/api/errors.ts'
import { type Apicurio, startApicurio } from '../support/apicurio.ts'
import { converters, rejection } from '../support/avro-converters.ts'
import { describeWith } from '../support/needs.ts'
import { startTestRegistry, type TestRegistry } from '../support/registry.ts'

const FIRST = {
  type: 'record',
  name: 'Ride',
  namespace: 'n',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'fare', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'stops', type: { type: 'array', items: ['null', 'string'] } },
    { name: 'line', type: ['null', { type: 'enum', name: 'Line', symbols: ['A', 'C'] }] },
  ],
}
const SECOND = {
  ...FIRST,
  fields: [...FIRST.fields, { name: 'note', type: 'string', default: '' }],
}
const WRONG = { ...FIRST, fields: [...FIRST.fields, { name: 'must', type: 'int' }] }
const VALUE = {
  id: 'x',
  at: new Date(1_700_000_000_000),
  fare: { unscaled: 290n, scale: 2 },
  stops: ['A24', null],
  line: 'C',
}
const schemaOf = (avro: object) => ({ type: 'STRUCT' as const, optional: false, avro })

const { converter } = converters()

/** The life of a subject as a connector sees it. `urlOf` is asked once the registry runs. */
function steps(urlOf: () => string): void {
  test('registers, writes and reads, evolves, and reads what was written before', async () => {
    const avro = converter(urlOf())
    const old = await avro.fromConnectData('rides', [], schemaOf(FIRST), VALUE)
    const level = await fetch(`${urlOf()}/config/rides-value`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ compatibility: 'BACKWARD' }),
    })
    expect(level.status).toBe(200)
    const value = { ...VALUE, note: 'n' }
    const recent = await avro.fromConnectData('rides', [], schemaOf(SECOND), value)
    const reader = converter(urlOf())
    const read = await reader.toConnectData('rides', [], old)
    expect(read.value).toEqual(VALUE)
    const second = await reader.toConnectData('rides', [], recent)
    expect(second.value).toEqual(value)
    expect(second.encoded?.schemaId).not.toBe(read.encoded?.schemaId)
    // The same schema again is the same id, whoever asks.
    const again = await converter(urlOf()).fromConnectData('rides', [], schemaOf(FIRST), VALUE)
    expect(again).toEqual(old)
  })

  test('an incompatible schema is a DataError that names the subject', async () => {
    const error = await rejection(() =>
      converter(urlOf()).fromConnectData('rides', [], schemaOf(WRONG), { ...VALUE, must: 1 }),
    )
    expect(error).toBeInstanceOf(DataError)
    expect((error as Error).message).toContain('rides-value')
  })

  test('what is not there is a DataError: a subject without auto-registration, an id', async () => {
    const strict = converter(urlOf(), { 'auto.register.schemas': 'false' })
    const missing = await rejection(() =>
      strict.fromConnectData('none', [], schemaOf(FIRST), VALUE),
    )
    expect(missing).toBeInstanceOf(DataError)
    const unknown = await rejection(() =>
      strict.toConnectData('rides', [], Buffer.from([0, 0, 1, 0, 0, 2])),
    )
    expect(unknown).toBeInstanceOf(DataError)
    expect((unknown as Error).message).toContain('65536')
  })

  test('the latest version is used where that is asked for', async () => {
    const latest = converter(urlOf(), {
      'auto.register.schemas': 'false',
      'use.latest.version': 'true',
    })
    const bytes = await latest.fromConnectData('rides', [], schemaOf(FIRST), VALUE)
    const read = await latest.toConnectData('rides', [], bytes)
    expect(read.value).toEqual({ ...VALUE, note: '' })
  })
}

describeWith(['kafka'], 'the Avro converter with Apicurio Registry', () => {
  let apicurio: Apicurio | undefined
  beforeAll(async () => {
    apicurio = await startApicurio()
  }, 180_000)
  afterAll(() => apicurio?.stop())
  steps(() => apicurio?.url ?? '')
})

describe('the Avro converter with the local registry', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry()
  })
  afterAll(() => registry.remove())
  steps(() => registry.url)
})
