// kill -9 during commits, schema changes, compaction, clean-up, replacement and opening; then the tables must be
// readable as they lie there by PyIceberg and DuckDB, must open, hold exactly the rows that their own tokens name, and
// nothing that was acknowledged may be gone.
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import type { IcebergTable, Warehouse } from '../../connector/local/iceberg/types.ts'
import { missing } from '../support/needs.ts'
import { type Moment, type Seen, Writer } from './iceberg-killing.ts'
import { IndependentReaders } from './iceberg-readers.ts'
import { CHAOS_TABLE, chaosOptions, GENERATION, REPLACED_TABLE, TOKEN } from './iceberg-scene.ts'
import { seeded } from './random.ts'

export interface IcebergChaosFigures {
  readonly rounds: number
  readonly violations: number
  /** What was wrong, at most 20 of them. */
  readonly details: readonly string[]
  readonly rows: number
  readonly acknowledgedCommits: number
  readonly schemaChanges: number
  readonly replacements: number
  readonly versions: number
  /** Rounds that were killed while the warehouse was opened. */
  readonly killedWhileOpening: number
  /** Times that PyIceberg and DuckDB read a table as it lay there after a kill, or after the next start. */
  readonly independentReads: number
}

/** Every so many rounds the kill comes while the warehouse opens. */
const OPENING_EVERY = 6
const SAY_EVERY = 50

/** Kills a writer `rounds` times on one warehouse and counts what is wrong afterwards. */
export async function runIcebergChaos(options: {
  readonly rounds: number
  readonly seed: number
  readonly say?: (text: string) => void
}): Promise<IcebergChaosFigures> {
  const { rounds, seed } = options
  const folder = await mkdtemp(path.join(os.tmpdir(), 'iceberg-chaos-'))
  const readers = missing('python') === undefined ? new IndependentReaders() : undefined
  const random = seeded(seed)
  const details: string[] = []
  const totals = { commits: 0, evolved: 0, replaced: 0, rows: 0, version: 0, opening: 0, reads: 0 }
  let writer: Writer | undefined
  try {
    await makeTables(folder, seed)
    writer = new Writer(folder, seed + 1)
    for (let round = 1; round <= rounds; round++) {
      const moment = momentOf(round, random)
      const seen = await writer.killAt(moment)
      writer = new Writer(folder, seed + round + 1)
      const result = await verify({ folder, seed: seed - round }, seen, readers)
      totals.commits += seen.commits
      totals.evolved += seen.evolved
      totals.replaced += seen.replaced
      totals.opening += moment.after === 'opening' ? 1 : 0
      totals.rows = result.rows
      totals.version = result.version
      totals.reads += result.reads
      details.push(...result.wrong.map((text) => `round ${round}: ${text}`))
      if (round % SAY_EVERY === 0)
        options.say?.(`round ${round}: ${result.rows} rows, ${details.length} violations`)
    }
  } finally {
    await writer?.discard()
    await readers?.close()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    rounds,
    violations: details.length,
    details: details.slice(0, 20),
    rows: totals.rows,
    acknowledgedCommits: totals.commits,
    schemaChanges: totals.evolved,
    replacements: totals.replaced,
    versions: totals.version,
    killedWhileOpening: totals.opening,
    independentReads: totals.reads,
  }
}

function momentOf(round: number, random: () => number): Moment {
  return round % OPENING_EVERY === 0
    ? { after: 'opening', ms: random() * 150 }
    : { after: 'ready', ms: 20 + random() * 700 }
}

async function makeTables(folder: string, seed: number): Promise<void> {
  const warehouse = await openWarehouse(chaosOptions(folder, seeded(seed)))
  await warehouse.createDatabase(CHAOS_TABLE.database)
  await warehouse.createSchema(CHAOS_TABLE.database, CHAOS_TABLE.schema)
  const nested = [
    { name: 'A', required: false, type: 'int' },
    { name: 'B', required: false, type: 'string' },
  ]
  await warehouse.createTable(
    CHAOS_TABLE,
    [
      { name: 'N', required: true, type: 'long' },
      { name: 'P', required: false, type: { type: 'struct', fields: nested } },
    ],
    {},
  )
  await warehouse.createTable(REPLACED_TABLE, [{ name: 'N', required: false, type: 'long' }], {})
  await warehouse.close()
}

interface Verdict {
  readonly wrong: readonly string[]
  readonly rows: number
  readonly version: number
  readonly reads: number
}

async function verify(
  place: { readonly folder: string; readonly seed: number },
  seen: Seen,
  readers: IndependentReaders | undefined,
): Promise<Verdict> {
  const wrong = seen.failure === undefined ? [] : [seen.failure]
  const read = async (when: string): Promise<number> => {
    if (readers === undefined) return 0
    for (const { table } of TABLES) {
      const { database, schema } = CHAOS_TABLE
      const found = await readers.look(path.join(place.folder, database, schema, table))
      const texts = [...found.wrong, ...isBehind(table, found, seen)]
      wrong.push(...texts.map((text) => `${table} ${when}: ${text}`))
    }
    return TABLES.length
  }
  const before = await read('after the kill')
  const warehouse = await openWarehouse(chaosOptions(place.folder, seeded(place.seed)))
  let rows = 0
  let version = 0
  try {
    for (const identifier of TABLES) {
      const table = warehouse.table(identifier)
      if (table === undefined) {
        wrong.push(`the table ${identifier.table} is gone`)
        continue
      }
      wrong.push(...(await checkTable(warehouse, table, seen)))
      version += table.version
      if (identifier === CHAOS_TABLE) rows = table.totalRows()
    }
  } finally {
    await warehouse.close()
  }
  return { wrong, rows, version, reads: before + (await read('after the start')) }
}

const TABLES = [CHAOS_TABLE, REPLACED_TABLE]

/** What was acknowledged must be there: of one table its rows, of the other how often it was replaced. */
function isBehind(
  table: string,
  found: { readonly token: number; readonly generation: number },
  seen: Seen,
): string[] {
  if (table === CHAOS_TABLE.table)
    return found.token < seen.token
      ? [`token ${found.token} after ${seen.token} was acknowledged`]
      : []
  return found.generation < seen.generation
    ? [`generation ${found.generation} after ${seen.generation} was acknowledged`]
    : []
}

async function checkTable(
  warehouse: Warehouse,
  table: IcebergTable,
  seen: Seen,
): Promise<readonly string[]> {
  const token = Number(table.properties[TOKEN] ?? '-1')
  const generation = Number(table.properties[GENERATION] ?? '0')
  const wrong = isBehind(table.identifier.table, { token, generation }, seen)
  if (table.totalRows() !== token + 1)
    wrong.push(`${table.totalRows()} rows with the token ${token}`)
  if (generation > 0 && !table.schema.fields.some(({ name }) => name === `G${generation}`))
    wrong.push(`no column of the generation ${generation}`)
  for (const { snapshotId, summary } of table.snapshots) {
    const expected = snapshotId === table.currentSnapshot()?.snapshotId ? token : summary[TOKEN]
    wrong.push(...(await checkRows(warehouse, table, snapshotId, expected)))
  }
  await table.maintain()
  return [...wrong, ...(await checkFiles(table))]
}

/** Rows of one snapshot: each number once, none missing, and every value where its field id says. */
async function checkRows(
  warehouse: Warehouse,
  table: IcebergTable,
  snapshotId: number,
  token: number | string | undefined,
): Promise<string[]> {
  const mixed = table.schema.fields
    .filter(({ name }) => name !== 'N' && name !== 'P')
    .map(({ id, name }) => `"${name}" <> N * ${id}`)
  const nested = ['P IS NULL', 'P.A <> N', "P.B <> 'row ' || N"]
  const hasNested = table.schema.fields.some(({ name }) => name === 'P')
  const other = [...mixed, ...(hasNested ? nested : [])].join(' OR ')
  const { rows } = await warehouse.query(
    `SELECT count(*), count(DISTINCT N), coalesce(min(N), 0), coalesce(max(N), -1), count(*) FILTER (WHERE ${other}) FROM (${await table.scanSql(snapshotId)})`,
    { signal: new AbortController().signal, timeoutMs: 60_000, rowsMax: 10 },
  )
  const [count, distinct, min, max, misplaced] = (rows[0] ?? []).map(Number)
  const wrong: string[] = []
  const all = max === undefined ? -1 : max + 1
  if (count !== all || distinct !== all || min !== 0) {
    wrong.push(`snapshot ${snapshotId}: ${count} rows, ${distinct} distinct, ${min} to ${max}`)
  }
  if (token !== undefined && Number(token) !== max) {
    wrong.push(`snapshot ${snapshotId}: token ${token}, last row ${max}`)
  }
  if (misplaced !== 0) wrong.push(`snapshot ${snapshotId}: ${misplaced} rows with other values`)
  return wrong
}

/** The hint names the version, and no file lies about that nothing needs. */
async function checkFiles(table: IcebergTable): Promise<string[]> {
  const metadata = path.join(table.location, 'metadata')
  const hint = await readFile(path.join(metadata, 'version-hint.text'), 'utf8')
  const needed = new Set<string>()
  for (const { snapshotId } of table.snapshots) {
    for (const file of await table.files(snapshotId)) needed.add(path.basename(file.path))
  }
  const data = readdirSync(path.join(table.location, 'data')).filter((name) => !needed.has(name))
  const stray = readdirSync(metadata).filter((name) => name.endsWith('.tmp'))
  return [
    ...(hint === String(table.version) ? [] : [`hint ${hint}, version ${table.version}`]),
    ...(data.length > 0 ? [`unneeded data files ${data.join(', ')}`] : []),
    ...(stray.length > 0 ? [`left-over files ${stray.join(', ')}`] : []),
  ]
}
