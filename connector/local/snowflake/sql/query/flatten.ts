// FLATTEN and GENERATOR, which make rows.
import { unsupported } from '../../errors.ts'
import { sqlString } from '../tokens.ts'
import { compile, type Environment } from './compile-expression.ts'
import type { CompiledQuery, OutputColumn } from './compiled.ts'
import type { Expression, FunctionCall } from './ast.ts'
import { toJson, cast } from './casts.ts'
import { SEMI_STRUCTURED } from './functions/semi-structured.ts'
import type { Scope } from './scope.ts'
import { fixed, isStructured, type SqlType, TEXT, type Typed, VARIANT } from './sql-types.ts'

const GENERATED_MAX = 10_000_000
const MODES = ['OBJECT', 'ARRAY', 'BOTH']

interface Surroundings {
  readonly scope: Scope
  readonly env: Environment
  readonly rowNumber?: string
}

/** `FLATTEN(INPUT => …, PATH => …, OUTER => …, MODE => …)`: SEQ, KEY, PATH, INDEX, VALUE, THIS. */
export function compileFlatten(
  call: FunctionCall,
  { scope, env, rowNumber }: Surroundings,
): CompiledQuery {
  const known = ['INPUT', 'PATH', 'OUTER', 'RECURSIVE', 'MODE']
  for (const name of call.named.keys())
    if (!known.includes(name)) throw unsupported(`FLATTEN(${name} => …)`)
  const input = call.named.get('INPUT') ?? call.args[0]
  if (input === undefined || call.args.length > 1) throw unsupported('FLATTEN without INPUT')
  if (flag(call.named.get('RECURSIVE'))) throw unsupported('FLATTEN(RECURSIVE => TRUE)')
  const path = textArgument(call.named.get('PATH'), '')
  const mode = textArgument(call.named.get('MODE'), 'BOTH').toUpperCase()
  if (!MODES.includes(mode)) throw unsupported(`FLATTEN(MODE => '${mode}')`)
  const base = compile(input, scope, env)
  const value = path === '' ? base : (getPath(base, path, env) ?? base)
  return flattened({
    value,
    path,
    mode,
    outer: flag(call.named.get('OUTER')),
    zone: env.zone,
    rowNumber,
  })
}

const getPath = (
  base: Typed,
  path: string,
  { zone, session, nowMs }: Environment,
): Typed | undefined =>
  SEMI_STRUCTURED['GET_PATH']?.build({
    name: 'GET_PATH',
    args: [base, { sql: sqlString(path), type: TEXT }],
    expressions: [{ kind: 'null' }, { kind: 'string', text: path }],
    zone,
    session,
    nowMs,
  })

function flag(expression: Expression | undefined): boolean {
  if (expression === undefined) return false
  if (expression.kind === 'boolean') return expression.value
  throw unsupported('FLATTEN with a flag that is no constant')
}

function textArgument(expression: Expression | undefined, otherwise: string): string {
  if (expression === undefined) return otherwise
  if (expression.kind === 'string') return expression.text
  throw unsupported('FLATTEN with a PATH or MODE that is no constant')
}

interface Flattening {
  readonly value: Typed
  readonly path: string
  readonly mode: string
  readonly outer: boolean
  readonly zone: string
  /** What SEQ is; a FLATTEN that stands alone has one row to flatten. */
  readonly rowNumber: string | undefined
}

function flattened({ value, path, mode, outer, zone, rowNumber = '1' }: Flattening): CompiledQuery {
  const list = value.type.kind === 'list' && mode !== 'OBJECT' ? value.type : undefined
  const json = list === undefined ? jsonOf(value, zone) : value.sql
  const element: SqlType = list?.element ?? VARIANT
  const columns: readonly OutputColumn[] = [
    { name: 'SEQ', type: fixed() },
    { name: 'KEY', type: TEXT },
    { name: 'PATH', type: TEXT },
    { name: 'INDEX', type: fixed() },
    { name: 'VALUE', type: element },
    { name: 'THIS', type: value.type.kind === 'list' ? value.type : VARIANT },
  ]
  const rows =
    list === undefined
      ? jsonRows(json, mode)
      : `SELECT CAST(NULL AS VARCHAR) AS k, unnest(range(len(x))) AS i, unnest(x) AS v FROM (SELECT ${json} AS x)`
  const prefix = sqlString(path)
  const keyed = `CASE WHEN regexp_full_match(k, '[A-Za-z_][A-Za-z0-9_]*') THEN ${path === '' ? "''" : `${prefix} || '.'`} || k ELSE ${prefix} || '[''' || k || ''']' END`
  const place = `CASE WHEN k IS NULL THEN CASE WHEN i IS NULL THEN NULL ELSE ${prefix} || '[' || i || ']' END ELSE ${keyed} END`
  const from = outer ? `(SELECT 1) AS one LEFT JOIN (${rows}) AS f ON true` : `(${rows}) AS f`
  return {
    sql: `SELECT CAST(${rowNumber} AS BIGINT) AS c1, k AS c2, ${place} AS c3, i AS c4, v AS c5, ${list === undefined ? json : value.sql} AS c6 FROM ${from}`,
    columns,
  }
}

const jsonOf = (value: Typed, zone: string): string =>
  isStructured(value.type) ? toJson(value) : cast(value, VARIANT, { zone }).sql

function jsonRows(json: string, mode: string): string {
  const array = `SELECT CAST(NULL AS VARCHAR) AS k, unnest(range(len(x))) AS i, unnest(x) AS v FROM (SELECT CASE WHEN json_type(${json}) = 'ARRAY' THEN CAST(json_extract(${json}, '$[*]') AS JSON[]) END AS x)`
  const object = `SELECT unnest(n) AS k, CAST(NULL AS BIGINT) AS i, unnest(x) AS v FROM (SELECT CASE WHEN json_type(${json}) = 'OBJECT' THEN json_keys(${json}) END AS n, CASE WHEN json_type(${json}) = 'OBJECT' THEN CAST(json_extract(${json}, '$.*') AS JSON[]) END AS x)`
  if (mode === 'ARRAY') return array
  return mode === 'OBJECT' ? object : `${array} UNION ALL ${object}`
}

/** `GENERATOR(ROWCOUNT => n)`: rows without a column that a statement could name. */
export function generate(call: FunctionCall): CompiledQuery {
  const count = call.named.get('ROWCOUNT')
  if (count?.kind !== 'number' || !/^\d+$/.test(count.text) || call.named.size !== 1)
    throw unsupported('GENERATOR with anything but ROWCOUNT => a number')
  if (Number(count.text) > GENERATED_MAX)
    throw unsupported(`GENERATOR of more than ${GENERATED_MAX} rows`)
  return { sql: `SELECT range AS c1 FROM range(${count.text})`, columns: [] }
}
