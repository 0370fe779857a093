// Aggregate and window functions. `over` is the text of OVER (…), or empty.
import { unsupported } from '../../../errors.ts'
import type { OrderItem } from '../ast.ts'
import { arithmetic } from '../arithmetic.ts'
import { cast } from '../casts.ts'
import {
  ARRAY,
  BOOLEAN,
  fixed,
  OBJECT,
  REAL,
  type SqlType,
  TEXT,
  type Typed,
} from '../sql-types.ts'
import { uniqueKeys } from './semi-structured.ts'
import { coerce, numeric, unify } from './definition.ts'

export interface AggregateInput {
  readonly name: string
  readonly args: readonly Typed[]
  readonly distinct: boolean
  readonly star: boolean
  readonly ignoreNulls: boolean
  readonly order: readonly { readonly item: OrderItem; readonly value: Typed }[]
  readonly zone: string
  /** Wraps a call of the engine in OVER, where there is one. */
  readonly over: (call: string) => string
  readonly isWindow: boolean
}

type Build = (input: AggregateInput) => Typed

const INT = fixed(0, 18)

const arg = ({ args, name }: AggregateInput, index = 0): Typed => {
  const value = args[index]
  if (value === undefined) throw unsupported(`${name} of ${args.length} arguments`)
  return value
}

const distinctOf = ({ distinct }: AggregateInput): string => (distinct ? 'DISTINCT ' : '')

export const orderText = (order: AggregateInput['order']): string =>
  order.length === 0
    ? ''
    : ` ORDER BY ${order.map(({ item, value }) => `${value.sql}${item.descending ? ' DESC' : ' ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`).join(', ')}`

const count: Build = (input) => {
  if (input.star) return { sql: input.over('count(*)'), type: INT }
  if (input.args.length === 1)
    return { sql: input.over(`count(${distinctOf(input)}${arg(input).sql})`), type: INT }
  // A row counts when none of the values is NULL.
  const rows = `CASE WHEN ${input.args.map(({ sql }) => `${sql} IS NOT NULL`).join(' AND ')} THEN row(${input.args.map(({ sql }) => sql).join(', ')}) END`
  return { sql: input.over(`count(${distinctOf(input)}${rows})`), type: INT }
}

const sum: Build = (input) => {
  const value = numeric(arg(input), input.zone)
  const type: SqlType = value.type.kind === 'fixed' ? fixed(value.type.scale) : REAL
  const operand =
    value.type.kind === 'fixed'
      ? `CAST(${value.sql} AS DECIMAL(38,${value.type.scale}))`
      : value.sql
  return { sql: input.over(`sum(${distinctOf(input)}${operand})`), type }
}

const average: Build = (input) => {
  const value = numeric(arg(input), input.zone)
  if (value.type.kind === 'real')
    return { sql: input.over(`avg(${distinctOf(input)}${value.sql})`), type: REAL }
  const total = sum({ ...input, args: [value] })
  const rows: Typed = {
    sql: `nullif(${input.over(`count(${distinctOf(input)}${value.sql})`)}, 0)`,
    type: fixed(),
  }
  return arithmetic('/', total, rows, input.zone)
}

/** Minimum, maximum, …: the type of the argument. */
const same =
  (engine: string): Build =>
  (input) => {
    const value = arg(input)
    if (
      ['variant', 'object', 'array', 'tz', 'struct', 'list', 'map'].includes(value.type.kind) &&
      engine !== 'any_value'
    )
      throw unsupported(`${input.name} of a ${value.type.kind}; cast it`)
    return { sql: input.over(`${engine}(${distinctOf(input)}${value.sql})`), type: value.type }
  }

const real =
  (engine: string, parameters = 1): Build =>
  (input) => {
    const args = input.args
      .slice(0, parameters)
      .map((value) => coerce(value, 'real', input.zone).sql)
    if (args.length !== parameters) throw unsupported(`${input.name} of ${args.length} arguments`)
    return { sql: input.over(`${engine}(${distinctOf(input)}${args.join(', ')})`), type: REAL }
  }

const DIGITS_OF_MEDIAN = 3

/** Snowflake keeps three digits more of a decimal's median or percentile. */
function interpolated(
  input: AggregateInput,
  value: Typed,
  call: (operand: string) => string,
): Typed {
  const sql = input.over(call(cast(value, REAL, { zone: input.zone }).sql))
  if (value.type.kind !== 'fixed') return { sql, type: REAL }
  const scale = Math.min(value.type.scale + DIGITS_OF_MEDIAN, 37)
  return { sql: `CAST(${sql} AS DECIMAL(38,${scale}))`, type: fixed(scale) }
}

const percentile =
  (engine: 'quantile_cont' | 'quantile_disc'): Build =>
  (input) => {
    const [ordered] = input.order
    const share = arg(input)
    if (ordered === undefined || input.order.length !== 1)
      throw unsupported(`${input.name} without WITHIN GROUP (ORDER BY one value)`)
    const at = ordered.item.descending ? `1 - ${share.sql}` : share.sql
    if (engine === 'quantile_disc')
      return { sql: input.over(`${engine}(${ordered.value.sql}, ${at})`), type: ordered.value.type }
    return interpolated(
      input,
      numeric(ordered.value, input.zone),
      (operand) => `${engine}(${operand}, ${at})`,
    )
  }

const listAgg: Build = (input) => {
  const value = coerce(arg(input), 'text', input.zone).sql
  const by = input.args[1] === undefined ? "''" : coerce(input.args[1], 'text', input.zone).sql
  const call = `string_agg(${distinctOf(input)}${value}, ${by}${orderText(input.order)})`
  return { sql: `coalesce(${input.over(call)}, '')`, type: TEXT }
}

const arrayAgg: Build = (input) => {
  const first = arg(input)
  // The engine orders distinct values only by themselves.
  const isOrdered = input.distinct && input.order.length > 0
  if (
    isOrdered &&
    (first.type.kind !== 'text' || input.order.some(({ value }) => value.sql !== first.sql))
  )
    throw unsupported(`${input.name}(DISTINCT …) ordered by anything but the same text`)
  const value = isOrdered ? first.sql : coerce(first, 'variant', input.zone).sql
  const call = `list(${distinctOf(input)}${value}${orderText(input.order)}) FILTER (${value} IS NOT NULL)`
  return { sql: `coalesce(to_json(${input.over(call)}), CAST('[]' AS JSON))`, type: ARRAY }
}

const objectAgg: Build = (input) => {
  const key = coerce(arg(input), 'text', input.zone).sql
  const value = coerce(arg(input, 1), 'variant', input.zone).sql
  const entry = `CAST(to_json(${key}) AS VARCHAR) || ':' || CAST(${value} AS VARCHAR)`
  const pairs = input.over(
    `list(${distinctOf(input)}struct_pack(k := ${key}, e := ${entry})) FILTER (${entry} IS NOT NULL)`,
  )
  const entries = `array_to_string(list_transform(list_sort(${pairs}), lambda x: x.e), ',')`
  const object = `CAST('{' || coalesce(${entries}, '') || '}' AS JSON)`
  return { sql: uniqueKeys(`list_transform(${pairs}, lambda x: x.k)`, object), type: OBJECT }
}

const truth =
  (engine: string): Build =>
  (input) => ({
    sql: input.over(`${engine}(${cast(arg(input), BOOLEAN, { zone: input.zone }).sql})`),
    type: BOOLEAN,
  })

const byOther =
  (engine: string): Build =>
  (input) => ({
    sql: input.over(`${engine}(${arg(input).sql}, ${arg(input, 1).sql})`),
    type: arg(input).type,
  })

export const AGGREGATES: Readonly<Record<string, Build>> = {
  ANY_VALUE: same('any_value'),
  APPROX_COUNT_DISTINCT: (input) => ({
    sql: input.over(`approx_count_distinct(${arg(input).sql})`),
    type: INT,
  }),
  APPROX_PERCENTILE: (input) => ({
    sql: input.over(
      `approx_quantile(${coerce(arg(input), 'real', input.zone).sql}, ${arg(input, 1).sql})`,
    ),
    type: REAL,
  }),
  ARRAY_AGG: arrayAgg,
  AVG: average,
  BOOLAND_AGG: truth('bool_and'),
  BOOLOR_AGG: truth('bool_or'),
  CORR: real('corr', 2),
  COUNT: count,
  COUNT_IF: (input) => ({
    sql: input.over(`count_if(${cast(arg(input), BOOLEAN, { zone: input.zone }).sql})`),
    type: INT,
  }),
  COVAR_POP: real('covar_pop', 2),
  COVAR_SAMP: real('covar_samp', 2),
  GROUPING: (input) => ({
    sql: `grouping(${input.args.map(({ sql }) => sql).join(', ')})`,
    type: INT,
  }),
  HLL: (input) => ({ sql: input.over(`approx_count_distinct(${arg(input).sql})`), type: INT }),
  LISTAGG: listAgg,
  MAX: same('max'),
  MAX_BY: byOther('arg_max_null'),
  MEDIAN: (input) =>
    interpolated(input, numeric(arg(input), input.zone), (operand) => `median(${operand})`),
  MIN: same('min'),
  MIN_BY: byOther('arg_min_null'),
  MODE: same('mode'),
  OBJECT_AGG: objectAgg,
  PERCENTILE_CONT: percentile('quantile_cont'),
  PERCENTILE_DISC: percentile('quantile_disc'),
  REGR_INTERCEPT: real('regr_intercept', 2),
  REGR_SLOPE: real('regr_slope', 2),
  STDDEV: real('stddev_samp'),
  STDDEV_POP: real('stddev_pop'),
  STDDEV_SAMP: real('stddev_samp'),
  SUM: sum,
  VARIANCE: real('var_samp'),
  VARIANCE_POP: real('var_pop'),
  VARIANCE_SAMP: real('var_samp'),
  VAR_POP: real('var_pop'),
  VAR_SAMP: real('var_samp'),
}

const rank =
  (engine: string, type: SqlType = INT): Build =>
  (input) => ({ sql: input.over(`${engine}()`), type })

/** LAG and LEAD with a distance and a value instead of NULL. */
const neighbour =
  (engine: string): Build =>
  (input) => {
    const distance =
      input.args[1] === undefined ? '1' : coerce(input.args[1], 'int', input.zone).sql
    const nulls = input.ignoreNulls ? ' IGNORE NULLS' : ''
    if (input.args[2] === undefined)
      return {
        sql: input.over(`${engine}(${arg(input).sql}, CAST(${distance} AS BIGINT)${nulls})`),
        type: arg(input).type,
      }
    const { args, type } = unify([arg(input), input.args[2]], input.zone)
    return {
      sql: input.over(
        `${engine}(${args[0]?.sql}, CAST(${distance} AS BIGINT), ${args[1]?.sql}${nulls})`,
      ),
      type,
    }
  }

const valueOf =
  (engine: string): Build =>
  (input) => {
    const rest =
      engine === 'nth_value'
        ? `, CAST(${coerce(arg(input, 1), 'int', input.zone).sql} AS BIGINT)`
        : ''
    return {
      sql: input.over(
        `${engine}(${arg(input).sql}${rest}${input.ignoreNulls ? ' IGNORE NULLS' : ''})`,
      ),
      type: arg(input).type,
    }
  }

/** Functions that need OVER. */
export const WINDOW_FUNCTIONS: Readonly<Record<string, Build>> = {
  CUME_DIST: rank('cume_dist', REAL),
  DENSE_RANK: rank('dense_rank'),
  FIRST_VALUE: valueOf('first_value'),
  LAG: neighbour('lag'),
  LAST_VALUE: valueOf('last_value'),
  LEAD: neighbour('lead'),
  NTH_VALUE: valueOf('nth_value'),
  NTILE: (input) => ({
    sql: input.over(`ntile(CAST(${coerce(arg(input), 'int', input.zone).sql} AS BIGINT))`),
    type: INT,
  }),
  PERCENT_RANK: rank('percent_rank', REAL),
  RANK: rank('rank'),
  RATIO_TO_REPORT: (input) => {
    const total = sum(input)
    return arithmetic(
      '/',
      numeric(arg(input), input.zone),
      { sql: `nullif(${total.sql}, 0)`, type: total.type },
      input.zone,
    )
  },
  ROW_NUMBER: rank('row_number'),
}

/** SEQ4() and its like: 0, 1, 2, … without a gap. */
export const SEQUENCES: ReadonlySet<string> = new Set(['SEQ1', 'SEQ2', 'SEQ4', 'SEQ8'])

/** Functions whose window is the whole partition unless a frame is given. */
export const WHOLE_PARTITION: ReadonlySet<string> = new Set([
  'FIRST_VALUE',
  'LAST_VALUE',
  'NTH_VALUE',
])
