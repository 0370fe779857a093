// Each schema against every version of it that was released (test/fixtures/schemas/VERSION), and a record of a later
// version read by a consumer that has not heard of it.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import avsc from 'avsc'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import { schemaFromAvro } from '../../source-mta/avro-schema.ts'
import { acceptBody, fixtureBody, newFeedState } from '../support/feed-fixtures.ts'
import { newAvroConverter } from '../support/lossless.ts'
import { ROOT } from '../support/needs.ts'
import { type TestRegistry, startTestRegistry } from '../support/registry.ts'

interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}

const SCHEMAS = path.join(ROOT, 'schemas')
const RELEASED = path.join(ROOT, 'test/fixtures/schemas')
const versions = readdirSync(RELEASED).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
const files = (folder: string): readonly string[] =>
  readdirSync(folder).filter((file) => file.endsWith('.avsc'))
const read = (folder: string, file: string): AvroRecord =>
  JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as AvroRecord

/** Its released versions, oldest first. */
const releasesOf = (file: string): readonly AvroRecord[] =>
  versions.flatMap((version) => {
    const folder = path.join(RELEASED, version)
    return files(folder).includes(file) ? [read(folder, file)] : []
  })

let registry: TestRegistry
beforeEach(async () => {
  registry = await startTestRegistry()
})
afterEach(async () => {
  await registry.remove()
})

const register = async (subject: string, schema: AvroRecord): Promise<number> => {
  const body = { schema: JSON.stringify(schema) }
  return (await registry.call('POST', `/subjects/${subject}/versions`, body)).status
}

/** The status of registering after all releases, under FULL_TRANSITIVE. */
async function registerAfter(releases: readonly AvroRecord[], schema: AvroRecord): Promise<number> {
  await registry.call('PUT', '/config/s', { compatibility: 'FULL_TRANSITIVE' })
  for (const release of releases) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await register('s', release)).toBe(200)
  }
  return register('s', schema)
}

describe('FULL_TRANSITIVE', () => {
  test.each(files(SCHEMAS))('%s registers after every released version', async (file) => {
    expect(await registerAfter(releasesOf(file), read(SCHEMAS, file))).toBe(200)
  })

  test.each(versions)('no schema of %s is gone', (version) => {
    expect(files(SCHEMAS)).toEqual(expect.arrayContaining([...files(path.join(RELEASED, version))]))
  })

  const file = 'trip_update.avsc'
  const current = read(SCHEMAS, file)
  const withField = (field: object): AvroRecord => ({
    ...current,
    fields: [...current.fields, field as AvroRecord['fields'][number]],
  })

  test('a later version may add a field that may be null', async () => {
    const next = withField({ name: 'later', type: ['null', 'string'], default: null })
    expect(await registerAfter([current], next)).toBe(200)
  })

  test.each([
    ['adds a field that must be there', withField({ name: 'later', type: 'string' })],
    [
      'takes away a field without default',
      { ...current, fields: current.fields.filter(({ name }) => name !== 'poll_id') },
    ],
    [
      'retypes a field',
      {
        ...current,
        fields: current.fields.map((field) =>
          field.name === 'stop_count' ? { ...field, type: 'string', default: '' } : field,
        ),
      },
    ],
  ] as const)('a later version that %s is refused', async (_what, next) => {
    expect(await registerAfter([current], next)).toBe(409)
  })
})

describe('a new release', () => {
  const file = 'vehicle_position.avsc'
  const current = read(SCHEMAS, file)
  const topic = 'mta.vehicle_position.v1'
  const next: AvroRecord = {
    ...current,
    fields: [
      ...current.fields,
      { name: 'later', type: ['null', 'string'], default: null } as AvroRecord['fields'][number],
    ],
  }
  const asDeclared = (schema: AvroRecord): avsc.Type =>
    avsc.Type.forSchema(structuredClone(schema) as avsc.Schema)

  test('registers beside the earlier one, and consumers of either read both', async () => {
    const { context, events } = acceptBody(newFeedState('nyct'), fixtureBody('oba_g'))
    const [event] = events
    if (context === undefined || event === undefined) throw new Error('The fixture has no vehicle')
    const [record] = entityRecords(context, event, entityTopics('mta.', 'nested', false))
    const converter = newAvroConverter(registry)
    const write = async (schema: AvroRecord, value: object): Promise<Buffer> =>
      Buffer.from((await converter.fromConnectData(topic, [], schemaFromAvro(schema), value)) ?? [])
    const before = await write(releasesOf(file)[0] ?? current, { ...record?.value })
    const now = await write(current, { ...record?.value })
    const after = await write(next, { ...record?.value, later: 'news' })
    converter.close()

    const ids = [before, now, after].map((bytes) => bytes.readInt32BE(1))
    expect(new Set(ids).size).toBe(3)
    const schemas = [releasesOf(file)[0] ?? current, current, next].map(asDeclared)
    for (const reader of schemas) {
      for (const [index, bytes] of [before, now, after].entries()) {
        const writer = schemas[index] ?? reader
        const resolver = reader.createResolver(writer)
        const value = reader.fromBuffer(bytes.subarray(5), resolver) as Record<string, unknown>
        expect(value).toMatchObject({
          record_key: event.recordKey,
          event_type: 'SNAPSHOT',
          trip_id: record?.value?.['trip_id'],
        })
      }
    }
  })
})
