import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type {
  IcebergField,
  IcebergTable,
  IcebergType,
  SchemaChange,
  Warehouse,
} from '../../../../connector/local/iceberg/types.ts'
import {
  anyType,
  expected,
  type Modelled,
  ndjsonOf,
  show,
  structOf,
  tableFields,
} from './table-model.ts'
import { IDENTIFIER, TemporaryWarehouse } from './temporary-warehouse.ts'

const PROMOTIONS: Readonly<Record<string, string>> = {
  int: 'long',
  float: 'double',
  'decimal(9,2)': 'decimal(38,2)',
}

/** Every field, nested ones too, with its path. Map keys cannot change. */
function allFields(
  type: IcebergType,
  path: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly field: IcebergField }[] {
  if (typeof type === 'string') return []
  if (type.type === 'struct') {
    return type.fields.flatMap((field) => {
      const own = [...path, field.name]
      return [{ path: own, field }, ...allFields(field.type, own)]
    })
  }
  return type.type === 'list'
    ? allFields(type.element, [...path, 'element'])
    : allFields(type.value, [...path, 'value'])
}

function anyChange(g: fc.GeneratorValue, table: IcebergTable, unique: number): SchemaChange {
  const fields = allFields(table.schema)
  const kind = g(() => fc.constantFrom('add', 'add', 'drop', 'rename', 'promote'))
  const { path, field } = g(() => fc.constantFrom(...fields))
  const name = `New ${unique}`
  const siblings = fields.filter(
    (other) =>
      other.path.length === path.length &&
      other.path.slice(0, -1).join('\0') === path.slice(0, -1).join('\0'),
  )
  const promotion = typeof field.type === 'string' ? PROMOTIONS[field.type] : undefined
  if (kind === 'promote' && promotion !== undefined) return { kind, path, type: promotion }
  if (kind === 'drop' && siblings.length > 1) return { kind, path }
  if (kind === 'rename') return { kind, path, name }
  const type = g(() => anyType)
  return { kind: 'add', parent: path.slice(0, -1), field: { name, required: false, type } }
}

async function readBack(warehouse: Warehouse, table: IcebergTable): Promise<string[]> {
  const { rows } = await warehouse.query(await table.scanSql(), {
    signal: new AbortController().signal,
    timeoutMs: 10_000,
    rowsMax: 10_000,
  })
  const names = table.schema.fields.map(({ name }) => name)
  return rows
    .map((row) => JSON.stringify(row.map((value, i) => [names[i], show(value)])))
    .toSorted()
}

test('any schema, rows and changes to them read back as they were written', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(tableFields, fc.gen(), async (fields, g) => {
      const place = await TemporaryWarehouse.make()
      try {
        const policy = { compactFiles: 2, keepSnapshots: 3 }
        let { warehouse, table } = await place.openWithTable(fields, policy)
        const model: Modelled[] = []
        const steps = g(() => fc.integer({ min: 2, max: 8 }))
        for (let step = 0; step < steps; step++) {
          const action = g(() =>
            fc.constantFrom('commit', 'commit', 'commit', 'evolve', 'compact', 'reopen'),
          )
          if (action === 'commit') {
            const { fields: current } = table.schema
            const rows = g(() => fc.array(structOf(current), { minLength: 1, maxLength: 4 }))
            await table.commit({
              batch: { ndjson: [ndjsonOf(rows.map(({ json }) => json))], rows: rows.length },
            })
            model.push(...rows.map((row) => row.model))
          } else if (action === 'evolve') await table.updateSchema([anyChange(g, table, step)])
          else if (action === 'compact') {
            await table.compact()
            await table.maintain()
          } else {
            await warehouse.close()
            warehouse = await place.open(policy)
            table = warehouse.table(IDENTIFIER) ?? table
          }
        }
        const wanted = model.map((row) => JSON.stringify(expected(row, table.schema))).toSorted()
        expect(await readBack(warehouse, table)).toEqual(wanted)
      } finally {
        await place.remove()
      }
    }),
    // Generated within the run, values do not shrink; the seed is what helps.
    { numRuns: Number(process.env['ICEBERG_PROPERTY_RUNS'] ?? '40'), endOnFailure: true },
  )
})
