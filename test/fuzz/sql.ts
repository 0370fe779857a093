// Statements for the local Snowflake: expressions whose values are computed here as well, groups and filters of
// such, and mutations of statements. Rules: no answer is wrong, nothing fails but with an SqlError, and what lies
// outside the warehouse is neither read nor changed.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SqlError } from '../../connector/local/snowflake/errors.ts'
import { openQueryStage, type QueryStage } from '../support/snowflake-query.ts'
import type { FuzzResult, FuzzRun } from './run.ts'
import { decimalText, DivisionByZero, Expressions } from './sql-expressions.ts'
import { mutate } from './sql-mutations.ts'

const CANARY = 'canary-7f3a91'
const DEPTH = 4
const ROWS_MAX = 12
const SAY_EVERY = 5_000

/** Deterministic and fast (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Counts {
  right: number
  answered: number
  refused: number
  violations: number
}

export async function fuzzSql({ cases, seed, say }: FuzzRun): Promise<FuzzResult> {
  const stage = await openQueryStage()
  const outside = path.join(stage.folder, 'outside')
  await mkdir(outside)
  const canary = path.join(outside, 'canary.csv')
  await writeFile(canary, `${CANARY}\n`)
  const make = new Expressions(randomOf(seed))
  const counts: Counts = { right: 0, answered: 0, refused: 0, violations: 0 }
  const broken = (text: string): void => {
    counts.violations++
    say(`violation: ${text}`)
  }
  try {
    for (let index = 0; index < cases; index++) {
      const kind = make.below(10)
      if (kind < 4) await checkExpression(stage, make, { counts, broken })
      else if (kind < 6) await checkGroups(stage, make, { counts, broken })
      else await checkMutation(stage, mutate(make, canary), { counts, broken })
      if ((index + 1) % SAY_EVERY === 0) say(`${index + 1} cases: ${JSON.stringify(counts)}`)
    }
    if ((await readFile(canary, 'utf8')) !== `${CANARY}\n`) broken('the file outside was changed')
    if ((await readdir(outside)).length !== 1) broken('a file was made outside')
    if ((await stage.answer('select 1')) !== '1') broken('the engine does not answer any more')
  } finally {
    await stage.close()
  }
  const { right, answered, refused, violations } = counts
  return {
    summary: `fuzz: sql: ${cases} cases, ${right} answers right, ${answered} mutants answered, ${refused} refused, ${violations} violations`,
    violations,
  }
}

interface Report {
  readonly counts: Counts
  readonly broken: (text: string) => void
}

async function compare(
  stage: QueryStage,
  sql: string,
  expected: string,
  { counts, broken }: Report,
): Promise<void> {
  let answer: string
  try {
    answer = await stage.answer(sql)
  } catch (error) {
    answer =
      error instanceof SqlError ? `error ${error.code} ${error.message}` : `crash ${String(error)}`
  }
  if (answer === expected || (expected.startsWith('error ') && answer.startsWith(expected)))
    counts.right++
  else broken(`${sql}\n  expected ${expected}\n  got      ${answer}`)
}

async function checkExpression(
  stage: QueryStage,
  make: Expressions,
  report: Report,
): Promise<void> {
  let expected: string
  let sql: string
  try {
    const n = make.number(DEPTH)
    const t = make.text(DEPTH)
    const b = make.truth(DEPTH)
    sql = `select ${n.sql}, ${t.sql}, ${b.sql}`
    expected = [
      decimalText(n.value, n.scale),
      t.value ?? '',
      b.value === null ? '' : b.value ? '1' : '0',
    ].join('|')
  } catch (error) {
    if (!(error instanceof DivisionByZero)) throw error
    sql = `select ${error.message}`
    // The dividend of a division by zero may be NULL or not: Snowflake complains of both.
    expected = 'error 100051'
  }
  await compare(stage, sql, expected, report)
}

async function checkGroups(stage: QueryStage, make: Expressions, report: Report): Promise<void> {
  const rows = Array.from({ length: make.below(ROWS_MAX) + 1 }, () => ({
    key: make.pick(['a', 'b', null]),
    value: make.below(6) === 0 ? null : make.below(2_000) - 1_000,
  }))
  const limit = make.below(2_000) - 1_000
  const kept = rows.filter(({ value }) => value !== null && value < limit)
  const groups = new Map<string | null, number[]>()
  for (const { key, value } of kept) groups.set(key, [...(groups.get(key) ?? []), value ?? 0])
  const order = ['a', 'b', null].filter((key) => groups.has(key))
  const expected = order
    .map((key) => {
      const values = groups.get(key) ?? []
      const total = values.reduce((a, b) => a + b, 0)
      const sorted = values.toSorted((a, b) => a - b)
      return [key ?? '', values.length, total, sorted[0], sorted.at(-1), sorted.join(',')].join('|')
    })
    .join(' ; ')
  const list = rows
    .map(({ key, value }) => `(${key === null ? 'null' : `'${key}'`}, ${value ?? 'null'})`)
    .join(', ')
  const sql = `select k, count(*), sum(n), min(n), max(n), listagg(n, ',') within group (order by n) from (values ${list}) v (k, n) where n < ${limit} group by k order by k`
  await compare(stage, sql, expected, report)
}

async function checkMutation(
  stage: QueryStage,
  sql: string,
  { counts, broken }: Report,
): Promise<void> {
  let text: string
  try {
    const { rows } = await stage.execute(sql)
    counts.answered++
    text = JSON.stringify(rows)
  } catch (error) {
    if (error instanceof SqlError) counts.refused++
    else broken(`${sql}\n  crashed with ${String(error)}`)
    text = String(error)
  }
  if (text.includes(CANARY)) broken(`${sql}\n  read what lies outside: ${text.slice(0, 200)}`)
}
