// What PyIceberg and DuckDB find in a table, held against what the table says of itself.
import path from 'node:path'
import { LineProgram } from '../support/line-program.ts'
import { PYTHON, ROOT } from '../support/needs.ts'
import { GENERATION, TOKEN } from './iceberg-scene.ts'

const PROGRAM = path.join(ROOT, 'test/integration/readers/iceberg_chaos.py')

/** Rows, different N, least N, greatest N, rows with a value that is not theirs. */
type Measures = readonly [number, number, number, number, number]

interface Look {
  readonly properties: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly snapshots: readonly {
    readonly current: boolean
    readonly token: string | null
    readonly duckdb: Measures
    readonly pyiceberg_rows: number
    readonly pyiceberg?: Measures
  }[]
}

export interface IndependentResult {
  readonly wrong: readonly string[]
  /** What the current version says of itself; -1 and 0 without any. */
  readonly token: number
  readonly generation: number
}

/** The two engines, in one process that stays. */
export class IndependentReaders {
  readonly #program = new LineProgram(PYTHON, [PROGRAM], {})

  /** Reads a table by its folder, as it lies there. */
  async look(location: string): Promise<IndependentResult> {
    const { ok, error } = await this.#program.ask({ table: location })
    if (error !== undefined) {
      return { wrong: [`${error.name}: ${error.text}`], token: -1, generation: 0 }
    }
    const { properties, columns, snapshots } = ok as Look
    const token = Number(properties[TOKEN] ?? '-1')
    const generation = Number(properties[GENERATION] ?? '0')
    const wrong = snapshots.flatMap((snapshot) => {
      const expected = snapshot.current ? token : snapshot.token
      const texts = differences('DuckDB', snapshot.duckdb, expected)
      if (snapshot.pyiceberg !== undefined)
        texts.push(...differences('PyIceberg', snapshot.pyiceberg, expected))
      if (snapshot.pyiceberg_rows !== snapshot.duckdb[0])
        texts.push(`PyIceberg counts ${snapshot.pyiceberg_rows}, DuckDB ${snapshot.duckdb[0]}`)
      return texts
    })
    const isCurrent = snapshots.filter(({ current }) => current).length
    if (token >= 0 && isCurrent !== 1) wrong.push(`token ${token}, ${isCurrent} current snapshots`)
    if (generation > 0 && !columns.includes(`G${generation}`))
      wrong.push(`generation ${generation} with the columns ${columns.join(', ')}`)
    return { wrong, token, generation }
  }

  close(): Promise<void> {
    return this.#program.close()
  }
}

/** A compaction's snapshot has no token of its own: then only its rows among themselves are looked at. */
function differences(
  engine: string,
  [rows, distinct, min, max, misplaced]: Measures,
  token: number | string | null,
): string[] {
  const wrong: string[] = []
  if (rows !== max + 1 || distinct !== rows || min !== 0)
    wrong.push(`${engine}: ${rows} rows, ${distinct} distinct, ${min} to ${max}`)
  if (token !== null && Number(token) !== max)
    wrong.push(`${engine}: token ${token}, last row ${max}`)
  if (misplaced !== 0) wrong.push(`${engine}: ${misplaced} rows with other values`)
  return wrong
}
