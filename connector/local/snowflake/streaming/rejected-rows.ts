// The slow path. Every row was checked, and still the engine refuses the batch without saying which row it
// means: the rows are tried on a scratch table of the same columns, halving until the bad ones are alone.
import {
  type IcebergTable,
  type IcebergType,
  type NewField,
  type NewType,
  RowRejectedError,
  type Warehouse,
} from '../../iceberg/types.ts'
import { SCRATCH_DATABASE } from '../identifiers.ts'
import type { CheckedRows } from '../rows/check-rows.ts'
import type { CheckedWork } from './commit-plan.ts'

const SCRATCH_SCHEMA = 'ROWS'
const TRIES_MAX = 500
const REFUSED_MESSAGE = 'The row does not fit the table, although each value does'

interface Line {
  readonly bytes: Uint8Array
  readonly owner: CheckedRows
}

/** The work without the rows that the engine refuses, which become row errors. */
export async function withoutRejectedRows(
  warehouse: Warehouse,
  table: IcebergTable,
  work: readonly CheckedWork[],
): Promise<readonly CheckedWork[]> {
  const lines = work.flatMap(({ batches }) =>
    batches.flatMap(({ checked }) =>
      linesOf(checked.pieces).map((bytes) => ({ bytes, owner: checked })),
    ),
  )
  const scratch = await makeScratch(warehouse, table)
  try {
    const rejected = await new Search(scratch).rejectedOf(lines)
    return work.map((item) => ({
      ...item,
      batches: item.batches.map(({ batch, checked }) => ({
        batch,
        checked: without(checked, lines, rejected),
      })),
    }))
  } finally {
    await warehouse.dropTable(scratch.identifier)
  }
}

/** Every row of the work as a row error: the last resort, so that no batch is tried for ever. */
export const allRejected = (work: readonly CheckedWork[]): readonly CheckedWork[] =>
  work.map((item) => ({
    ...item,
    batches: item.batches.map(({ batch, checked }) => ({
      batch,
      checked: {
        ...checked,
        pieces: [],
        rows: 0,
        errors: checked.parsed,
        lastMessage: REFUSED_MESSAGE,
        refused: linesOf(checked.pieces)
          .slice(0, 10_000)
          .map((line, index) => ({ index, message: REFUSED_MESSAGE, line })),
      },
    })),
  }))

class Search {
  readonly #scratch: IcebergTable
  #tries = 0

  constructor(scratch: IcebergTable) {
    this.#scratch = scratch
  }

  /** Out of tries, what is left unproven counts as rejected. */
  async rejectedOf(lines: readonly Line[]): Promise<ReadonlySet<Line>> {
    if (lines.length === 0 || (await this.#fits(lines))) return new Set()
    if (lines.length === 1 || this.#tries >= TRIES_MAX) return new Set(lines)
    const middle = Math.floor(lines.length / 2)
    const first = await this.rejectedOf(lines.slice(0, middle))
    const second = await this.rejectedOf(lines.slice(middle))
    return new Set([...first, ...second])
  }

  async #fits(lines: readonly Line[]): Promise<boolean> {
    this.#tries++
    try {
      await this.#scratch.commit({
        batch: { ndjson: lines.map(({ bytes }) => bytes), rows: lines.length },
      })
      return true
    } catch (error) {
      if (error instanceof RowRejectedError) return false
      throw error
    }
  }
}

function without(
  checked: CheckedRows,
  lines: readonly Line[],
  rejected: ReadonlySet<Line>,
): CheckedRows {
  const own = lines.filter(({ owner }) => owner === checked)
  const bad = own.filter((line) => rejected.has(line))
  if (bad.length === 0) return checked
  return {
    ...checked,
    pieces: own.filter((line) => !rejected.has(line)).map(({ bytes }) => bytes),
    rows: checked.rows - bad.length,
    errors: checked.errors + bad.length,
    lastMessage: REFUSED_MESSAGE,
    refused: [
      ...checked.refused,
      ...bad.map(({ bytes }) => ({
        index: own.findIndex((line) => line.bytes === bytes),
        message: REFUSED_MESSAGE,
        line: bytes,
      })),
    ],
  }
}

function linesOf(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined = Buffer.concat(pieces)
  const lines: Uint8Array[] = []
  for (let start = 0; start < joined.length; ) {
    const newline = joined.indexOf(0x0a, start)
    const end = newline === -1 ? joined.length : newline + 1
    lines.push(joined.subarray(start, end))
    start = end
  }
  return lines
}

async function makeScratch(warehouse: Warehouse, table: IcebergTable): Promise<IcebergTable> {
  if (!warehouse.databases().includes(SCRATCH_DATABASE))
    await warehouse.createDatabase(SCRATCH_DATABASE)
  if (!warehouse.schemas(SCRATCH_DATABASE).includes(SCRATCH_SCHEMA))
    await warehouse.createSchema(SCRATCH_DATABASE, SCRATCH_SCHEMA)
  const identifier = {
    database: SCRATCH_DATABASE,
    schema: SCRATCH_SCHEMA,
    table: `T_${table.uuid.replaceAll('-', '_').toUpperCase()}`,
  }
  // A process that was killed in the middle of its search leaves its table behind.
  if (warehouse.table(identifier) !== undefined) await warehouse.dropTable(identifier)
  return warehouse.createTable(identifier, table.schema.fields.map(newField), {})
}

const newField = (field: { name: string; required: boolean; type: IcebergType }): NewField => ({
  name: field.name,
  required: field.required,
  type: newType(field.type),
})

function newType(type: IcebergType): NewType {
  if (typeof type === 'string') return type
  if (type.type === 'struct') return { type: 'struct', fields: type.fields.map(newField) }
  if (type.type === 'list')
    return {
      type: 'list',
      element: newType(type.element),
      elementRequired: type['element-required'],
    }
  return {
    type: 'map',
    key: newType(type.key),
    value: newType(type.value),
    valueRequired: type['value-required'],
  }
}
