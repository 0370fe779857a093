// The process that `iceberg.ts` kills: writes rows, changes the schema, compacts and cleans up, in an order that
// the seed decides. Says on standard output what was acknowledged.
//   node --import tsx test/chaos/iceberg-writer.ts FOLDER SEED
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import type { IcebergTable, SchemaChange } from '../../connector/local/iceberg/types.ts'
import { CHAOS_TABLE, chaosOptions, seededRandom, TOKEN } from './iceberg-scene.ts'

const [, , folder = '', seed = '0'] = process.argv
const random = seededRandom(Number(seed))
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

function rowsFrom(table: IcebergTable, first: number, count: number): Uint8Array {
  const lines = Array.from({ length: count }, (_, i) => {
    const n = first + i
    const row: Record<string, unknown> = {}
    for (const { id, name, type } of table.schema.fields) {
      if (name === 'N') row[name] = n
      else if (typeof type === 'string') row[name] = n * id
      else row[name] = { A: n, B: `row ${n}` }
    }
    return `${JSON.stringify(row)}\n`
  })
  return Buffer.from(lines.join(''))
}

async function append(table: IcebergTable): Promise<void> {
  const first = Number(table.properties[TOKEN] ?? '-1') + 1
  const count = 1 + Math.floor(random() * 200)
  const token = String(first + count - 1)
  await table.commit({
    batch: { ndjson: [rowsFrom(table, first, count)], rows: count },
    properties: { [TOKEN]: token },
    summary: { [TOKEN]: token },
  })
  say(`committed ${token}`)
}

function schemaChange(table: IcebergTable): SchemaChange {
  const extra = table.schema.fields.filter(({ name }) => name.startsWith('X'))
  const [oldest] = extra
  const choice = random()
  const fresh = `X${Math.floor(random() * 2 ** 31)}`
  if (oldest !== undefined && (extra.length > 4 || choice < 0.3)) {
    return choice < 0.15
      ? { kind: 'rename', path: [oldest.name], name: fresh }
      : { kind: 'drop', path: [oldest.name] }
  }
  if (choice > 0.9) return { kind: 'promote', path: ['P', 'A'], type: 'long' }
  return { kind: 'add', parent: [], field: { name: fresh, required: false, type: 'long' } }
}

const warehouse = await openWarehouse(chaosOptions(folder, random))
const found = warehouse.table(CHAOS_TABLE)
if (found === undefined) throw new Error('The table of the rehearsal is missing.')
const table = found
say('ready')
for (;;) {
  const choice = random()
  if (choice < 0.6) await append(table)
  else if (choice < 0.75) await Promise.all([table.compact(), append(table)])
  else if (choice < 0.88) {
    await table.updateSchema([schemaChange(table)])
    say('evolved')
  } else await table.maintain()
}
