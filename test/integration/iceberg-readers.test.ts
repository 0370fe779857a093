// Tables of the local warehouse as engines read them that share no code with it, nor with each other.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  IcebergTable,
  NewField,
  RowBatch,
  SchemaChange,
} from '../../connector/local/iceberg/types.ts'
import {
  batch,
  column,
  TemporaryWarehouse,
} from '../connector/local/iceberg/temporary-warehouse.ts'
import { describeWith, PYTHON, ROOT } from '../support/needs.ts'

const SCRIPT = path.join(ROOT, 'test/integration/readers/iceberg_check.py')

interface Column {
  readonly nulls: number
  /** JSON texts, sorted. */
  readonly values: readonly string[]
}
interface Reading {
  readonly rows: number
  readonly columns: Readonly<Record<string, Column>>
}
interface Report {
  readonly fields: Readonly<Record<string, number>>
  readonly snapshots: Readonly<
    Record<string, { readonly pyiceberg: Reading; readonly duckdb: Reading }>
  >
}

async function report(table: IcebergTable): Promise<Report> {
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, table.location], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout) as Report
}

const STOP: NewField[] = [column('ID', 'string'), column('SEQ', 'int')]
const FIELDS: NewField[] = [
  column('N', 'int', true),
  column('L', 'long'),
  column('F', 'float'),
  column('D', 'double'),
  column('B', 'boolean'),
  column('DE', 'decimal(10,2)'),
  column('DE38', 'decimal(38,4)'),
  column('DA', 'date'),
  column('TS', 'timestamp'),
  column('TZ', 'timestamptz'),
  column('S', 'string'),
  column('U', 'uuid'),
  column('BI', 'binary'),
  column('POS', {
    type: 'struct',
    fields: [column('LAT', 'double'), column('STOP', { type: 'struct', fields: STOP })],
  }),
  column('TAGS', { type: 'list', element: 'string', elementRequired: false }),
  column('ATTRS', { type: 'map', key: 'string', value: 'long', valueRequired: false }),
]

const longOf = (n: number): string =>
  String(n % 2 === 0 ? -(2n ** 63n) + BigInt(n) : 2n ** 53n + BigInt(n))

/** `batch` with longs that JSON.stringify would round. */
function exactBatch(rows: readonly object[]): RowBatch {
  const { ndjson } = batch(...rows)
  return {
    ndjson: ndjson.map((line) =>
      Buffer.from(
        Buffer.from(line)
          .toString()
          .replaceAll(/"@@(-?\d+)"/g, '$1'),
      ),
    ),
    rows: rows.length,
  }
}

/** A row that has everything, and its corners at some numbers. */
function row(
  n: number,
  names: { readonly s: string; readonly seq: string },
): Record<string, unknown> {
  const second = new Date(-86_400_000 * 400 * n).toISOString().slice(0, 19)
  return {
    N: n,
    L: `@@${longOf(n)}`,
    F: n % 3 === 0 ? 'NaN' : n / 2,
    D: n % 5 === 0 ? 'Infinity' : -n / 3,
    B: n % 2 === 0,
    DE: `${-n}.25`,
    DE38: `${n + 1}2345678901234567890123456789.0001`,
    DA: second.slice(0, 10),
    TS: `${second}.00000${n % 10}`,
    TZ: `${second}.99999${n % 10}Z`,
    [names.s]: `${'long '.repeat(n % 7)}😀 ${n}`,
    U: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    BI: Buffer.from([0, n % 256, 255]).toString('base64'),
    POS:
      n % 4 === 0
        ? null
        : { LAT: n / 7, STOP: n % 3 === 0 ? null : { ID: `R${n}`, [names.seq]: n } },
    TAGS: n % 4 === 1 ? null : Array.from({ length: n % 3 }, (_, i) => (i === 1 ? null : `t${n}`)),
    ATTRS:
      n % 5 === 1 ? null : Array.from({ length: n % 3 }, (_, i) => [`k${i}`, i === 1 ? null : n]),
  }
}

const CHANGES: readonly (readonly SchemaChange[])[] = [
  [
    { kind: 'promote', path: ['N'], type: 'long' },
    { kind: 'promote', path: ['F'], type: 'double' },
    { kind: 'promote', path: ['DE'], type: 'decimal(20,2)' },
  ],
  [
    { kind: 'rename', path: ['S'], name: 'TEXT' },
    { kind: 'rename', path: ['POS', 'STOP', 'SEQ'], name: 'SEQUENCE' },
    { kind: 'drop', path: ['B'] },
  ],
  [
    { kind: 'add', parent: ['POS'], field: column('BEARING', 'double') },
    {
      kind: 'add',
      parent: [],
      field: column('LATE', {
        type: 'list',
        element: { type: 'struct', fields: [column('WHY', 'string')] },
        elementRequired: false,
      }),
    },
    { kind: 'add', parent: [], field: column('B', 'string') },
  ],
]

const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i)

const micros = (text: unknown): string => String(text).slice(20, 26)
const sorted = (all: readonly string[]): readonly string[] =>
  all.toSorted((a, b) => (a < b ? -1 : 1))

describeWith(['python'], 'PyIceberg and DuckDB', () => {
  let place: TemporaryWarehouse
  let table: IcebergTable
  let found: Report
  const first = range(0, 30).map((n) => row(n, { s: 'S', seq: 'SEQ' }))
  const second = range(30, 30).map((n) => row(n, { s: 'S', seq: 'SEQ' }))
  const third = range(60, 30).map((n) => {
    const { B: _dropped, ...rest } = row(n, { s: 'TEXT', seq: 'SEQUENCE' })
    return rest
  })
  const fourth = range(90, 30).map((n) => ({
    ...row(n, { s: 'TEXT', seq: 'SEQUENCE' }),
    B: `b${n}`,
    LATE: [{ WHY: `w${n}` }, null],
  }))
  beforeAll(async () => {
    place = await TemporaryWarehouse.make()
    const opened = await place.openWithTable(FIELDS)
    table = opened.table
    await table.commit({ batch: exactBatch(first) })
    await table.updateSchema(CHANGES[0] ?? [])
    await table.commit({ batch: exactBatch(second) })
    await table.updateSchema(CHANGES[1] ?? [])
    await table.commit({ batch: exactBatch(third) })
    await table.updateSchema(CHANGES[2] ?? [])
    await table.commit({ batch: exactBatch(fourth) })
    await table.compact()
    await table.maintain()
    found = await report(table)
  })
  afterAll(() => place.remove())

  const current = (): Reading => {
    const id = String(table.currentSnapshot()?.snapshotId)
    const reading = found.snapshots[id]
    if (reading === undefined) throw new Error(`No reading of snapshot ${id}.`)
    return reading.pyiceberg
  }
  const values = (name: string): unknown[] =>
    (current().columns[name]?.values ?? []).map((text) => JSON.parse(text) as unknown)
  const texts = (name: string): readonly string[] => sorted(values(name).map(String))

  test('agree with each other on every value of every snapshot', () => {
    expect(Object.keys(found.snapshots)).toHaveLength(5)
    for (const { pyiceberg, duckdb } of Object.values(found.snapshots)) {
      expect(duckdb).toEqual(pyiceberg)
    }
  })

  test('agree with the sender on rows and columns per snapshot', () => {
    const readings = table.snapshots.map(({ snapshotId }) => found.snapshots[snapshotId]?.pyiceberg)
    expect(readings.map((reading) => reading?.rows)).toEqual([30, 60, 90, 120, 120])
    expect(readings.map((reading) => Object.keys(reading?.columns ?? {}).length)).toEqual([
      16, 16, 15, 17, 17,
    ])
    expect(table.currentSnapshot()?.operation).toBe('replace')
  })

  test('find the field ids as they were given', () => {
    expect(found.fields).toMatchObject({ N: 1, TEXT: 11, POS: 14, ATTRS: 16 })
    expect(found.fields['B']).toBeGreaterThan(20)
  })

  test('agree with the sender on numbers, texts, dates and bytes', () => {
    const all: readonly Record<string, unknown>[] = [...first, ...second, ...third, ...fourth]
    const numbers = values('N').map(Number)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(range(0, 120))
    expect(texts('L')).toEqual(sorted(range(0, 120).map(longOf)))
    expect(values('F').filter((value) => value === 'nan')).toHaveLength(40)
    expect(values('D').filter((value) => value === 'inf')).toHaveLength(24)
    expect(texts('DE')).toEqual(sorted(all.map((r) => String(r['DE']))))
    expect(texts('DE38')).toEqual(sorted(all.map((r) => String(r['DE38']))))
    expect(texts('DA')).toEqual(sorted(all.map((r) => String(r['DA']))))
    expect(texts('U')).toEqual(sorted(all.map((r) => String(r['U']))))
    expect(texts('TEXT')).toEqual(
      sorted(range(0, 120).map((n) => `${'long '.repeat(n % 7)}😀 ${n}`)),
    )
    expect(texts('BI')).toEqual(
      sorted(range(0, 120).map((n) => Buffer.from([0, n, 255]).toString('hex'))),
    )
    expect(values('TS').filter((text) => micros(text) === '000007')).toHaveLength(12)
    expect(values('TZ').filter((text) => String(text).endsWith('999997+00:00'))).toHaveLength(12)
  })

  test('agree with the sender on nested values and nulls', () => {
    expect(current().columns['POS']?.nulls).toBe(30)
    expect(current().columns['TAGS']?.nulls).toBe(30)
    expect(current().columns['ATTRS']?.nulls).toBe(24)
    expect(values('POS')).toContainEqual({
      LAT: '1.0',
      STOP: { ID: 'R7', SEQUENCE: '7' },
      BEARING: null,
    })
    expect(
      values('TAGS').filter((list) => (list as unknown[]).length === 0).length,
    ).toBeGreaterThan(0)
    expect(values('TAGS')).toContainEqual(['t2', null])
    expect(values('ATTRS')).toContainEqual([
      ['k0', '2'],
      ['k1', null],
    ])
    // A column of the name of a dropped one is another column.
    expect(current().columns['B']?.nulls).toBe(90)
    expect(values('B')).toContainEqual('b100')
    expect(values('LATE')).toContainEqual([{ WHY: 'w100' }, null])
  })

  test('skip files by their bounds and still find every row', async () => {
    const { stdout } = await promisify(execFile)(PYTHON, [
      SCRIPT,
      table.location,
      '--filter',
      "TEXT = 'long long long 😀 101'",
    ])
    expect(JSON.parse(stdout)).toEqual({ rows: 1 })
  })
})
