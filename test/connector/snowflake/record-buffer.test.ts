import { describe, expect, test } from 'vitest'
import type { SinkRecord } from '../../../connector/api/records.ts'
import { MetadataWriter } from '../../../connector/snowflake/metadata.ts'
import { RecordBuffer } from '../../../connector/snowflake/record-buffer.ts'
import type { TableColumns } from '../../../connector/snowflake/record-shape.ts'
import { RowEncoder } from '../../../connector/snowflake/row-encoder.ts'
import type { TableAccess } from '../../../connector/snowflake/table-access.ts'
import { encodedAvro } from '../../support/sink-records.ts'

const encode = encodedAvro({ type: 'record', name: 'R', fields: [{ name: 'n', type: 'long' }] }, 1)

/** As the worker makes them: asking for the value decodes it. */
const record = (offset: number): SinkRecord => ({
  topic: 't',
  kafkaPartition: 0,
  kafkaOffset: offset,
  keySchema: null,
  key: null,
  valueSchema: null,
  get value(): unknown {
    throw new Error('The value is decoded for nothing')
  },
  timestamp: 1_700_000_000_000,
  timestampType: 'CreateTime',
  headers: [],
  originalTopic: 't',
  originalKafkaPartition: 0,
  originalKafkaOffset: offset,
  encodedValue: encode({ n: offset }),
})

class FakeTable implements Pick<TableAccess, 'columnsFor'> {
  isThere = true
  columnsFor(): { readonly version: number; readonly columns: TableColumns } | undefined {
    return this.isThere ? { version: 1, columns: undefined } : undefined
  }
}

function setUp(limits: { readonly rowsMax?: number; readonly rawBytesMax?: number } = {}) {
  const table = new FakeTable()
  const encoder = new RowEncoder(table as unknown as TableAccess, new MetadataWriter('t', 0, 'id'))
  const buffer = new RecordBuffer(
    { rowsMax: 1_000, rawBytesMax: 1_000_000, lingerMs: 100, ignoreTombstones: false, ...limits },
    (_record, error) => Promise.reject(error),
  )
  return { table, encoder, buffer }
}

describe('RecordBuffer', () => {
  test('makes rows of Avro bytes without asking for the value', () => {
    const { buffer, encoder } = setUp()
    for (const offset of [0, 1, 2]) buffer.push(record(offset))
    expect(buffer.bytes).toBeGreaterThan(3_000)
    buffer.fill(encoder, 1_000)
    const rows = Buffer.from(buffer.seal(1_100, false)?.raw ?? [])
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rows.map((row) => row['N'])).toEqual([0, 1, 2])
    expect(rows[1]?.['RECORD_METADATA']).toEqual({
      offset: 1,
      topic: 't',
      partition: 0,
      key: null,
      CreateTime: 1_700_000_000_000,
      LogAppendTime: null,
      SnowflakeConnectorPushTime: 1_000,
      headers: null,
      topicId: 'id',
    })
    expect(buffer.bytes).toBe(0)
  })

  test('makes rows of all records that came together, but of none while a request is full', () => {
    const { buffer, encoder } = setUp({ rowsMax: 10 })
    for (let offset = 0; offset < 15; offset++) buffer.push(record(offset))
    buffer.fill(encoder, 0)
    expect([buffer.rows, buffer.isStuck]).toEqual([15, true])
    buffer.push(record(15))
    buffer.fill(encoder, 0)
    expect(buffer.rows).toBe(15)
    expect(buffer.seal(0, false)?.batch.lastOffset).toBe(14)
    buffer.fill(encoder, 0)
    expect([buffer.rows, buffer.size, buffer.isStuck]).toEqual([1, 1, false])
  })

  test('never makes more than twice the rows of a request', () => {
    const { buffer, encoder } = setUp({ rowsMax: 10 })
    for (let offset = 0; offset < 50; offset++) buffer.push(record(offset))
    const lasts: (number | undefined)[] = []
    for (;;) {
      buffer.fill(encoder, 0)
      const sealed = buffer.seal(0, true)
      if (sealed === undefined) break
      expect(sealed.batch.ends.length).toBeLessThanOrEqual(20)
      lasts.push(sealed.batch.lastOffset)
    }
    expect(lasts).toEqual([19, 39, 49])
  })

  test('is stuck while its table is not there', () => {
    const { buffer, encoder, table } = setUp()
    table.isThere = false
    buffer.push(record(0))
    buffer.fill(encoder, 0)
    expect(buffer.isStuck).toBe(true)
    table.isThere = true
    buffer.fill(encoder, 0)
    expect(buffer.isStuck).toBe(false)
  })
})
