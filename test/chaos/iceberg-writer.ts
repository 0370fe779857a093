// The process that `iceberg.ts` kills: writes rows, changes the schema, compacts, cleans up and replaces a table, in an
// order that the seed decides. Begins when it is told to. Says on standard output what was acknowledged.
//   node --import tsx test/chaos/iceberg-writer.ts FOLDER SEED
import { once } from 'node:events'
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import type { IcebergTable, SchemaChange } from '../../connector/local/iceberg/types.ts'
import { CHAOS_TABLE, chaosOptions, GENERATION, REPLACED_TABLE, TOKEN } from './iceberg-scene.ts'
import { seeded } from './random.ts'

const [, , folder = '', seed = '0'] = process.argv
const random = seeded(Number(seed))
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

async function append(table: IcebergTable): Promise<string> {
  const first = Number(table.properties[TOKEN] ?? '-1') + 1
  const count = 1 + Math.floor(random() * 40)
  const token = String(first + count - 1)
  await table.commit({
    batch: { ndjson: [rowsFrom(table, first, count)], rows: count },
    properties: { [TOKEN]: token },
    summary: { [TOKEN]: token },
  })
  return token
}

/** Each generation has a column of its own, and is there before its rows are. */
async function replace(): Promise<void> {
  const old = warehouse.table(REPLACED_TABLE)
  const generation = Number(old?.properties[GENERATION] ?? '0') + 1
  const fresh = await warehouse.replaceTable(
    REPLACED_TABLE,
    ['N', `G${generation}`].map((name) => ({ name, required: false, type: 'long' })),
    { [GENERATION]: String(generation) },
  )
  say(`replaced ${generation}`)
  await append(fresh)
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

say('waiting')
await once(process.stdin, 'data')
say('opening')
const warehouse = await openWarehouse(chaosOptions(folder, random))
const found = warehouse.table(CHAOS_TABLE)
if (found === undefined) throw new Error('The table of the rehearsal is missing.')
const table = found
const appendSaying = async (): Promise<void> => {
  say(`committed ${await append(table)}`)
}
say('ready')
for (;;) {
  const choice = random()
  if (choice < 0.55) await appendSaying()
  else if (choice < 0.7) await Promise.all([table.compact(), appendSaying()])
  else if (choice < 0.82) {
    await table.updateSchema([schemaChange(table)])
    say('evolved')
  } else if (choice < 0.92) await table.maintain()
  else await replace()
}
