// kill -9 during commits, schema changes, compaction and clean-up; then the table must open, hold exactly the
// rows that its own token names, and nothing that was acknowledged may be gone.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import type { IcebergTable, Warehouse } from '../../connector/local/iceberg/types.ts'
import { missing, PYTHON, ROOT } from '../support/needs.ts'
import { CHAOS_TABLE, chaosOptions, seededRandom, TOKEN } from './iceberg-scene.ts'

export interface IcebergChaosFigures {
  readonly rounds: number
  readonly violations: number
  /** What was wrong, at most 20 of them. */
  readonly details: readonly string[]
  readonly rows: number
  readonly acknowledgedCommits: number
  readonly schemaChanges: number
  readonly versions: number
  /** Rounds after which PyIceberg counted the same rows. */
  readonly independentReads: number
}

const INDEPENDENT_EVERY = 10
const WRITER = path.join(import.meta.dirname, 'iceberg-writer.ts')
const CHECK = path.join(ROOT, 'test/integration/readers/iceberg_check.py')

/** Kills a writer `rounds` times on one warehouse and counts what is wrong afterwards. */
export async function runIcebergChaos(options: {
  readonly rounds: number
  readonly seed: number
}): Promise<IcebergChaosFigures> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'iceberg-chaos-'))
  const random = seededRandom(options.seed)
  const details: string[] = []
  const totals = { acknowledged: 0, evolved: 0, rows: 0, versions: 0, independent: 0 }
  try {
    await makeTable(folder, options.seed)
    for (let round = 1; round <= options.rounds; round++) {
      const seen = await killOneWriter(folder, options.seed + round, 20 + random() * 700)
      totals.acknowledged += seen.commits
      totals.evolved += seen.evolved
      const independent = round % INDEPENDENT_EVERY === 0 || round === options.rounds
      const result = await verify(folder, seen, options.seed - round)
      totals.rows = result.rows
      totals.versions = result.version
      const wrong = [...result.wrong]
      if (independent && missing('python') === undefined) {
        const count = countIndependently(result.location)
        if (count === String(result.rows)) totals.independent++
        else wrong.push(`PyIceberg counts ${count}, expected ${result.rows}`)
      }
      details.push(...wrong.map((text) => `round ${round}: ${text}`))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return {
    rounds: options.rounds,
    violations: details.length,
    details: details.slice(0, 20),
    rows: totals.rows,
    acknowledgedCommits: totals.acknowledged,
    schemaChanges: totals.evolved,
    versions: totals.versions,
    independentReads: totals.independent,
  }
}

async function makeTable(folder: string, seed: number): Promise<void> {
  const warehouse = await openWarehouse(chaosOptions(folder, seededRandom(seed)))
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
  await warehouse.close()
}

interface Seen {
  readonly token: number
  readonly commits: number
  readonly evolved: number
  readonly failure: string | undefined
}

/** Starts a writer and kills it so many milliseconds after it is ready. */
function killOneWriter(folder: string, seed: number, afterMs: number): Promise<Seen> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, String(seed)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  let timer: NodeJS.Timeout | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (timer === undefined && output.includes('ready')) {
      timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return new Promise((resolve) => {
    child.on('close', (_code, signal) => {
      clearTimeout(timer)
      const tokens = [...output.matchAll(/^committed (\d+)$/gm)].map(([, token]) => Number(token))
      resolve({
        token: tokens.at(-1) ?? -1,
        commits: tokens.length,
        evolved: output.match(/^evolved$/gm)?.length ?? 0,
        failure: signal === 'SIGKILL' ? undefined : `the writer ended by itself: ${errors}`,
      })
    })
  })
}

async function verify(
  folder: string,
  seen: Seen,
  seed: number,
): Promise<{ wrong: string[]; rows: number; version: number; location: string }> {
  const wrong = seen.failure === undefined ? [] : [seen.failure]
  const warehouse = await openWarehouse(chaosOptions(folder, seededRandom(seed)))
  try {
    const table = warehouse.table(CHAOS_TABLE)
    if (table === undefined) {
      return { wrong: [...wrong, 'the table is gone'], rows: 0, version: 0, location: folder }
    }
    const token = Number(table.properties[TOKEN] ?? '-1')
    if (token < seen.token) wrong.push(`token ${token} after ${seen.token} was acknowledged`)
    for (const { snapshotId, summary } of table.snapshots) {
      const expected = snapshotId === table.currentSnapshot()?.snapshotId ? token : summary[TOKEN]
      wrong.push(...(await checkRows(warehouse, table, snapshotId, expected)))
    }
    await table.maintain()
    wrong.push(...(await checkFiles(table)))
    const { version, location } = table
    return { wrong, rows: token + 1, version, location }
  } finally {
    await warehouse.close()
  }
}

/** Rows of one snapshot: each number once, none missing, and every value where its field id says. */
async function checkRows(
  warehouse: Warehouse,
  table: IcebergTable,
  snapshotId: number,
  token: number | string | undefined,
): Promise<string[]> {
  const mixed = table.schema.fields
    .filter(({ name }) => name.startsWith('X'))
    .map(({ id, name }) => `"${name}" <> N * ${id}`)
  const other = [...mixed, 'P.A <> N', "P.B <> 'row ' || N"].join(' OR ')
  const { rows } = await warehouse.query(
    `SELECT count(*), count(DISTINCT N), coalesce(min(N), 0), coalesce(max(N), -1), count(*) FILTER (WHERE P IS NULL OR ${other}) FROM (${await table.scanSql(snapshotId)})`,
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

function countIndependently(location: string): string {
  const result = spawnSync(PYTHON, [CHECK, location, '--count'], { encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim() : result.stderr
}
