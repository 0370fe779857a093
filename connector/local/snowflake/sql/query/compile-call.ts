// Calls: scalar functions by their table, aggregates and window functions with what follows them.
import { SqlError, unsupported } from '../../errors.ts'
import type { Frame, FrameBound, FunctionCall, OrderItem, Window } from './ast.ts'
import type { Environment } from './compile-expression.ts'
import {
  type AggregateInput,
  AGGREGATES,
  SEQUENCES,
  WHOLE_PARTITION,
  WINDOW_FUNCTIONS,
} from './functions/aggregates.ts'
import type { FunctionDefinition } from './functions/definition.ts'
import { NUMERIC } from './functions/numeric.ts'
import { objectOf, SEMI_STRUCTURED } from './functions/semi-structured.ts'
import { TEXTS } from './functions/text.ts'
import { TIMES } from './functions/time.ts'
import type { Scope } from './scope.ts'
import { isCurrent, sessionValue } from './session-values.ts'
import { fixed, isSemiStructured, isStructured, TEXT, type Typed } from './sql-types.ts'
import { sqlString } from '../tokens.ts'

const SCALAR: ReadonlyMap<string, FunctionDefinition> = new Map(
  [NUMERIC, TEXTS, TIMES, SEMI_STRUCTURED].flatMap((table) => Object.entries(table)),
)
const AGGREGATE = new Map(Object.entries(AGGREGATES))
const WINDOWED = new Map(Object.entries(WINDOW_FUNCTIONS))

/** The names of all functions that a SELECT may call. */
export const functionNames = (): readonly string[] =>
  [...SCALAR.keys(), ...AGGREGATE.keys(), ...WINDOWED.keys()].toSorted()

export const isAggregate = (name: string): boolean => AGGREGATE.has(name)

/** @throws SqlError 000002 for a function that is not supported, 000938 and 000939 for the number of arguments. */
export function compileCall(call: FunctionCall, scope: Scope, env: Environment): Typed {
  const { name } = call
  if (call.named.size > 0) throw unsupported(`named arguments of ${name}`)
  if (isCurrent(name) && call.args.length === 0) return sessionValue(name, env)
  if (SEQUENCES.has(name) && call.args.length === 0)
    return { sql: '(row_number() OVER () - 1)', type: fixed() }
  if (name === 'OBJECT_CONSTRUCT' && call.star) return objectOfRow(scope, env)
  const aggregate = AGGREGATE.get(name) ?? WINDOWED.get(name)
  if (aggregate !== undefined) {
    if (WINDOWED.has(name) && call.over === undefined) throw unsupported(`${name} without OVER`)
    return aggregate(aggregateInput(call, scope, env))
  }
  const definition = SCALAR.get(name)
  if (definition === undefined) throw unsupported(`function ${name}`)
  if (
    call.over !== undefined ||
    call.withinGroup.length > 0 ||
    call.distinct ||
    call.star ||
    call.ignoreNulls
  )
    throw unsupported(`${name} with DISTINCT, *, WITHIN GROUP or OVER`)
  return scalar(call, definition, { scope, env })
}

function scalar(
  { name, args }: FunctionCall,
  definition: FunctionDefinition,
  { scope, env }: { scope: Scope; env: Environment },
): Typed {
  if (args.length < definition.min || args.length > definition.max) {
    const [code, what] =
      args.length < definition.min ? ['000938', 'not enough'] : ['000939', 'too many']
    throw new SqlError(
      code,
      '22023',
      `SQL compilation error:\n${what} arguments for function [${name}], expected ${definition.min}, got ${args.length}`,
    )
  }
  // A date part is written like a column, and is none.
  const compiled = args.map((arg, index) =>
    takesWord(name, index) && arg.kind === 'column' && arg.parts.length === 1
      ? { sql: sqlString(arg.parts[0] ?? ''), type: TEXT }
      : env.compile(arg, scope),
  )
  return definition.build({
    name,
    args: compiled,
    expressions: args,
    zone: env.zone,
    session: env.session,
    nowMs: env.nowMs,
  })
}

const PART_FIRST = new Set(
  'DATEADD DATEDIFF DATE_PART DATE_TRUNC EXTRACT TIMEADD TIMEDIFF TIMESTAMPADD TIMESTAMPDIFF'.split(
    ' ',
  ),
)

const takesWord = (name: string, index: number): boolean =>
  (index === 0 && PART_FIRST.has(name)) ||
  (index === 1 && name === 'LAST_DAY') ||
  (index === 2 && name === 'TIME_SLICE')

/** OBJECT_CONSTRUCT(*): every column of FROM. */
const objectOfRow = (scope: Scope, env: Environment): Typed =>
  objectOf(
    scope
      .starSources([])
      .flatMap(({ columns }) =>
        columns.map((column) => [{ sql: sqlString(column.name), type: TEXT }, column] as const),
      ),
    false,
    env.zone,
  )

function aggregateInput(call: FunctionCall, scope: Scope, env: Environment): AggregateInput {
  const { name, distinct, star, ignoreNulls, over } = call
  if (star && name !== 'COUNT') throw unsupported(`${name}(*)`)
  if (!star && call.args.length === 0 && !WINDOWED.has(name))
    throw new SqlError(
      '000938',
      '22023',
      `SQL compilation error:\nnot enough arguments for function [${name}], expected 1, got 0`,
    )
  const order = call.withinGroup.map((item) => ({
    item,
    value: env.compile(item.expression, scope),
  }))
  const window = over === undefined ? '' : ` OVER (${windowText(over, { name, scope, env })})`
  return {
    name,
    args: call.args.map((arg) => env.compile(arg, scope)),
    distinct,
    star,
    ignoreNulls,
    order,
    zone: env.zone,
    over: (text) => `${text}${window}`,
    isWindow: over !== undefined,
  }
}

function windowText(
  { partitionBy, orderBy, frame }: Window,
  { name, scope, env }: { name: string; scope: Scope; env: Environment },
): string {
  const parts: string[] = []
  if (partitionBy.length > 0)
    parts.push(
      `PARTITION BY ${partitionBy.map((item) => groupKey(env.compile(item, scope))).join(', ')}`,
    )
  if (orderBy.length > 0)
    parts.push(`ORDER BY ${orderKeys(orderBy, (item) => env.compile(item.expression, scope))}`)
  if (frame !== undefined) parts.push(frameText(frame, scope, env))
  else if (WHOLE_PARTITION.has(name) && orderBy.length > 0)
    parts.push('ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING')
  return parts.join(' ')
}

/** A value as what rows are grouped by: JSON by its text. */
export const groupKey = ({ sql, type }: Typed): string =>
  isSemiStructured(type) || isStructured(type)
    ? `CAST(${isStructured(type) ? `to_json(${sql})` : sql} AS VARCHAR)`
    : sql

/** The text after ORDER BY, NULL as the largest value. JSON sorts numbers by value before texts. */
export function orderKeys(items: readonly OrderItem[], of: (item: OrderItem) => Typed): string {
  return items
    .flatMap((item) => {
      const { sql, type } = of(item)
      const direction = `${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`
      if (type.kind === 'tz') return [`${sql}.t ${direction}`]
      if (!isSemiStructured(type)) return [`${sql} ${direction}`]
      return [
        `TRY_CAST(CAST(${sql} AS VARCHAR) AS DOUBLE) ${item.descending ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'}`,
        `json_extract_string(${sql}, '$') ${direction}`,
      ]
    })
    .join(', ')
}

function frameText({ unit, from, to }: Frame, scope: Scope, env: Environment): string {
  const bound = ({ kind, end, rows }: FrameBound): string => {
    if (kind === 'current') return 'CURRENT ROW'
    if (kind === 'unbounded') return `UNBOUNDED ${end}`
    if (unit === 'RANGE' && rows?.kind === 'interval') throw unsupported('RANGE BETWEEN INTERVAL')
    return `${rows === undefined ? '0' : env.compile(rows, scope).sql} ${end}`
  }
  return to === undefined
    ? `${unit} ${bound(from)}`
    : `${unit} BETWEEN ${bound(from)} AND ${bound(to)}`
}
