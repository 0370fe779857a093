// Expressions in the query engine's words. What is not named here or in the tables of functions is refused.
import { SqlError, unsupported } from '../../errors.ts'
import { bindLiteral } from '../bind-literal.ts'
import { bindOf, type Bind, type Session } from '../session.ts'
import { sqlString } from '../tokens.ts'
import { arithmetic } from './arithmetic.ts'
import type { Expression, Query } from './ast.ts'
import { cast } from './casts.ts'
import { isCurrent, sessionValue } from './session-values.ts'
import { compileCall } from './compile-call.ts'
import { arrayOf, dynamicStep, objectOf } from './functions/semi-structured.ts'
import { concat } from './functions/text.ts'
import { addParts } from './functions/time.ts'
import { datePart } from './functions/date-parts.ts'
import { moment, unify } from './functions/definition.ts'
import { mapValue, stepInto } from './json-path.ts'
import { never } from './never.ts'
import { invalidIdentifier, type Scope } from './scope.ts'
import {
  BOOLEAN,
  DATE,
  fixed,
  isSemiStructured,
  isStructured,
  LTZ,
  NTZ,
  NULL,
  REAL,
  TEXT,
  type SqlType,
  type Typed,
  typeOfName,
} from './sql-types.ts'

/** What expressions are compiled with. */
export interface Environment {
  readonly zone: string
  readonly nowMs: number
  readonly session: Session
  readonly binds: Readonly<Record<string, Bind>>
  /** `compile` with this environment, for who is called from there. */
  readonly compile: (expression: Expression, scope: Scope) => Typed
  /** A subquery as text, with its columns' types. */
  readonly query: (
    query: Query,
    scope: Scope,
  ) => { readonly sql: string; readonly types: readonly SqlType[] }
}

export const SQL_LENGTH_MAX = 4_000_000

/** Compiles one expression. @throws SqlError */
export function compile(expression: Expression, scope: Scope, env: Environment): Typed {
  const value = compileAny(expression, scope, env)
  if (value.sql.length > SQL_LENGTH_MAX)
    throw new SqlError(
      '000002',
      '0A000',
      'The expression is too complex for the embedded endpoint.',
    )
  return value
}

function compileAny(expression: Expression, scope: Scope, env: Environment): Typed {
  const { zone } = env
  const of = (inner: Expression): Typed => compile(inner, scope, env)
  switch (expression.kind) {
    case 'number':
      return numberLiteral(expression.text)
    case 'string':
      return { sql: sqlString(expression.text), type: TEXT }
    case 'null':
      return { sql: 'NULL', type: NULL }
    case 'boolean':
      return { sql: String(expression.value), type: BOOLEAN }
    case 'bind':
      return boundValue(bindOf(env.binds, expression.key))
    case 'column':
      return column(expression.parts, scope, env)
    case 'unary':
      return unary(expression.operator, of(expression.operand), zone)
    case 'binary':
      return binary(expression, scope, env)
    case 'logic':
      return {
        sql: `(${expression.operands.map((operand) => cast(of(operand), BOOLEAN, { zone }).sql).join(` ${expression.operator} `)})`,
        type: BOOLEAN,
      }
    case 'cast':
      return compileCast(expression, of(expression.operand), zone)
    case 'case':
      return compileCase(expression, of, zone)
    case 'path':
      return path(expression, of, zone)
    case 'array':
      return arrayOf(expression.items.map(of), zone)
    case 'object':
      return objectOf(
        expression.entries.map(({ key, value }) => [
          { sql: sqlString(key), type: TEXT },
          of(value),
        ]),
        false,
        zone,
      )
    case 'interval':
      throw unsupported('INTERVAL outside + and - of dates and times')
    case 'exists':
      return { sql: `EXISTS (${env.query(expression.query, scope).sql})`, type: BOOLEAN }
    case 'subquery':
      return scalarSubquery(expression.query, scope, env)
    case 'call':
      return compileCall(expression, scope, env)
    case 'in':
    case 'in-query':
    case 'between':
    case 'like':
    case 'is-null':
    case 'is-boolean':
    case 'is-distinct':
      return predicate(expression, scope, env)
    default:
      return never(expression)
  }
}

type Predicate = Extract<
  Expression,
  { kind: 'in' | 'in-query' | 'between' | 'like' | 'is-null' | 'is-boolean' | 'is-distinct' }
>

function predicate(expression: Predicate, scope: Scope, env: Environment): Typed {
  const { zone } = env
  const of = (inner: Expression): Typed => compile(inner, scope, env)
  const not = 'negated' in expression && expression.negated ? 'NOT ' : ''
  const truth = (sql: string): Typed => ({ sql: `(${not}(${sql}))`, type: BOOLEAN })
  switch (expression.kind) {
    case 'is-null':
      return truth(`${of(expression.operand).sql} IS NULL`)
    case 'is-boolean':
      return truth(
        `${cast(of(expression.operand), BOOLEAN, { zone }).sql} IS NOT DISTINCT FROM ${expression.value}`,
      )
    case 'is-distinct': {
      const [left, right] = comparable(of(expression.left), of(expression.right), zone)
      return truth(`${left} IS DISTINCT FROM ${right}`)
    }
    case 'between': {
      const operand = of(expression.operand)
      const [a, low] = comparable(operand, of(expression.low), zone)
      const [b, high] = comparable(operand, of(expression.high), zone)
      return truth(`${a} >= ${low} AND ${b} <= ${high}`)
    }
    case 'in':
      return truth(
        inList(
          expression.operand.map(of),
          expression.items.map((item) => item.map(of)),
          zone,
        ),
      )
    case 'in-query': {
      const operand = of(expression.operand)
      const { sql, types } = env.query(expression.query, scope)
      const [type] = types
      if (type === undefined || types.length !== 1)
        throw unsupported('IN of a query with other than one column')
      if (type.kind === operand.type.kind || (isNumeric(type) && isNumeric(operand.type)))
        return truth(`${operand.sql} IN (${sql})`)
      return truth(`${cast(operand, type, { zone }).sql} IN (${sql})`)
    }
    case 'like':
      return truth(like(expression, of, zone))
    default:
      return never(expression)
  }
}

const isNumeric = ({ kind }: SqlType): boolean => kind === 'fixed' || kind === 'real'

function numberLiteral(text: string): Typed {
  if (/[eE]/.test(text)) return { sql: `CAST('${text}' AS DOUBLE)`, type: REAL }
  const digits = text.replace('.', '').replace(/^0+/, '')
  const scale = text.includes('.') ? (text.split('.')[1] ?? '').length : 0
  if (digits.length > 38 || scale > 37) return { sql: `CAST('${text}' AS DOUBLE)`, type: REAL }
  const precision = Math.max(digits.length, scale, 1)
  return {
    sql: `CAST('${text}' AS DECIMAL(${Math.max(precision, scale + 1)},${scale}))`,
    type: fixed(scale, Math.max(precision, scale + 1)),
  }
}

const BOUND: Readonly<Record<string, SqlType>> = {
  TEXT,
  BOOLEAN,
  DATE,
  REAL,
  TIMESTAMP_NTZ: NTZ,
  TIMESTAMP_LTZ: LTZ,
  TIMESTAMP_TZ: LTZ,
}

function boundValue(bind: Bind): Typed {
  const sql = bindLiteral(bind)
  const kind = bind.type.toUpperCase()
  if (sql === 'NULL') return { sql, type: NULL }
  if (kind === 'FIXED')
    return sql.startsWith('-') ? unary('-', numberLiteral(sql.slice(1)), 'UTC') : numberLiteral(sql)
  if (kind === 'REAL') return { sql: `CAST('${sql}' AS DOUBLE)`, type: REAL }
  return { sql, type: BOUND[kind] ?? TEXT }
}

function column(parts: readonly string[], scope: Scope, env: Environment): Typed {
  const [only = ''] = parts
  const found =
    scope.find(parts) ??
    (parts.length === 1 ? scope.aliases.get(only) : undefined) ??
    scope.resolve(parts)
  if (found !== undefined) return { sql: found.sql, type: found.type }
  if (parts.length === 1 && isCurrent(only)) return sessionValue(only, env)
  throw invalidIdentifier(parts.join('.'))
}

function unary(operator: '-' | '+' | 'NOT', operand: Typed, zone: string): Typed {
  if (operator === 'NOT')
    return { sql: `(NOT ${cast(operand, BOOLEAN, { zone }).sql})`, type: BOOLEAN }
  const value = arithmetic('+', operand, { sql: '0', type: fixed(0, 1) }, zone)
  return operator === '+' ? value : { sql: `(-${value.sql})`, type: value.type }
}

/** Both sides in the type in which Snowflake compares them; time zones count as instants. */
export function comparable(a: Typed, b: Typed, zone: string): readonly [string, string] {
  const { args } = unify([a, b], zone)
  const [left, right] = args.map(({ sql, type }) => {
    if (type.kind === 'tz') return `${sql}.t`
    return isSemiStructured(type) ? `CAST(${sql} AS VARCHAR)` : sql
  })
  return [left ?? '', right ?? '']
}

function inList(
  operand: readonly Typed[],
  items: readonly (readonly Typed[])[],
  zone: string,
): string {
  const tests = items.map((item) => {
    if (item.length !== operand.length) throw unsupported('IN with rows of another size')
    return operand.map((left, index) => {
      const [a, b] = comparable(left, item[index] ?? { sql: 'NULL', type: NULL }, zone)
      return `${a} = ${b}`
    })
  })
  return tests.map((test) => `(${test.join(' AND ')})`).join(' OR ')
}

function like(
  { operator, operand, patterns, all, escape }: Extract<Expression, { kind: 'like' }>,
  of: (inner: Expression) => Typed,
  zone: string,
): string {
  const text = (inner: Expression): string => cast(of(inner), TEXT, { zone }).sql
  const subject = text(operand)
  const tests = patterns.map((pattern) => {
    if (operator === 'RLIKE') return `regexp_full_match(${subject}, ${text(pattern)})`
    return `${subject} ${operator} ${text(pattern)}${escape === undefined ? '' : ` ESCAPE ${text(escape)}`}`
  })
  return tests.join(all ? ' AND ' : ' OR ')
}

const COMPARISONS = new Set(['=', '<>', '<', '>', '<=', '>='])

function binary(
  { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
  scope: Scope,
  env: Environment,
): Typed {
  const { zone } = env
  if (left.kind === 'interval' || right.kind === 'interval')
    return addInterval({ operator, left, right }, scope, env)
  const [a, b] = [compile(left, scope, env), compile(right, scope, env)]
  if (COMPARISONS.has(operator)) return comparison(operator, a, b, zone)
  if (operator === '||') return concat([a, b], zone)
  const temporal = dateArithmetic(operator, a, b, zone)
  return temporal ?? arithmetic(operator, a, b, zone)
}

const isNested = ({ type }: Typed): boolean => isSemiStructured(type) || isStructured(type)

function comparison(operator: string, a: Typed, b: Typed, zone: string): Typed {
  if (operator !== '=' && operator !== '<>' && isNested(a) && isNested(b))
    throw unsupported(`${operator} of two VARIANTs; cast them`)
  const [left, right] = comparable(a, b, zone)
  return { sql: `(${left} ${operator} ${right})`, type: BOOLEAN }
}

const isMoment = ({ type: { kind } }: Typed): boolean => ['date', 'ntz', 'ltz', 'tz'].includes(kind)

/** A date plus days; the days between two dates. */
function dateArithmetic(operator: string, a: Typed, b: Typed, zone: string): Typed | undefined {
  if (operator !== '+' && operator !== '-') return undefined
  if (a.type.kind === 'date' && b.type.kind === 'date' && operator === '-')
    return { sql: `date_diff('day', ${b.sql}, ${a.sql})`, type: fixed(0, 9) }
  if (a.type.kind === 'date' && b.type.kind === 'fixed')
    return addParts(
      a,
      'day',
      `(${operator === '-' ? '-' : ''}${cast(b, fixed(), { zone }).sql})`,
      zone,
    )
  if (operator === '+' && a.type.kind === 'fixed' && b.type.kind === 'date')
    return addParts(b, 'day', cast(a, fixed(), { zone }).sql, zone)
  if (isMoment(a) || isMoment(b))
    throw unsupported(`${operator} of ${a.type.kind} and ${b.type.kind}; use DATEADD or DATEDIFF`)
  return undefined
}

/** `moment ± INTERVAL '1 day, 2 hours'`. */
function addInterval(
  { operator, left, right }: { operator: string; left: Expression; right: Expression },
  scope: Scope,
  env: Environment,
): Typed {
  const isFirst = left.kind === 'interval'
  const interval = isFirst ? left : right
  if (interval.kind !== 'interval' || (operator !== '+' && (operator !== '-' || isFirst)))
    throw unsupported(`${operator} INTERVAL`)
  const start = moment(compile(isFirst ? right : left, scope, env), env.zone)
  return interval.text.split(',').reduce((value, text) => {
    const match = /^\s*(-?\d+)\s*([A-Za-z]*)\s*$/.exec(text)
    if (match === null) throw unsupported(`INTERVAL '${interval.text}'`)
    const count = `${operator === '-' ? '-' : ''}(${match[1]})`
    return addParts(value, datePart(match[2] === '' ? 'second' : (match[2] ?? '')), count, env.zone)
  }, start)
}

function compileCast(
  { type, tolerant }: Extract<Expression, { kind: 'cast' }>,
  operand: Typed,
  zone: string,
): Typed {
  return cast(operand, typeOfName(type), { zone, tolerant })
}

function compileCase(
  { subject, branches, otherwise }: Extract<Expression, { kind: 'case' }>,
  of: (inner: Expression) => Typed,
  zone: string,
): Typed {
  const tested = subject === undefined ? undefined : of(subject)
  const conditions = branches.map(({ when }) => {
    const value = of(when)
    return tested === undefined
      ? cast(value, BOOLEAN, { zone }).sql
      : comparison('=', tested, value, zone).sql
  })
  const last = otherwise === undefined ? ({ sql: 'NULL', type: NULL } as const) : of(otherwise)
  const { args, type } = unify([...branches.map(({ result }) => of(result)), last], zone)
  const whens = conditions.map((condition, index) => `WHEN ${condition} THEN ${args[index]?.sql}`)
  return { sql: `CASE ${whens.join(' ')} ELSE ${args.at(-1)?.sql} END`, type }
}

function path(
  { base, step }: Extract<Expression, { kind: 'path' }>,
  of: (inner: Expression) => Typed,
  zone: string,
): Typed {
  const value = of(base)
  if (step.kind === 'key') return stepInto(value, step.name, zone)
  const { index } = step
  if (value.type.kind === 'map') {
    const found = mapValue(value, of(index), zone)
    if (found !== undefined) return found
  }
  if (index.kind === 'number' && /^\d+$/.test(index.text))
    return stepInto(value, Number(index.text), zone)
  if (index.kind === 'string') return stepInto(value, index.text, zone)
  return dynamicStep(value, of(index), zone)
}

function scalarSubquery(query: Query, scope: Scope, env: Environment): Typed {
  const { sql, types } = env.query(query, scope)
  const [type] = types
  if (type === undefined || types.length !== 1)
    throw new SqlError(
      '000913',
      '42000',
      `SQL compilation error:\nScalar subquery has ${types.length} columns, expected 1.`,
    )
  return { sql: `(${sql})`, type }
}
