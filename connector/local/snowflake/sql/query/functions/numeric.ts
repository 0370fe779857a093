// Numbers, conditions and comparisons.
import { arithmetic, toDigits } from '../arithmetic.ts'
import { cast } from '../casts.ts'
import { BOOLEAN, fixed, REAL, type SqlType, type Typed } from '../sql-types.ts'
import {
  type CallInput,
  constantInteger,
  define,
  type FunctionDefinition,
  MANY,
  numeric,
  unify,
} from './definition.ts'
import { unsupported } from '../../../errors.ts'

const INT = fixed()
const sameAsFirst = ([first]: readonly Typed[]): SqlType => first?.type ?? REAL

const real = (name: string): FunctionDefinition => define('real', REAL, (x) => `${name}(${x})`)

/** ROUND, TRUNC, CEIL, FLOOR: decimals stay exact. */
function rounding(how: 'round' | 'trunc' | 'ceil' | 'floor'): FunctionDefinition {
  return {
    min: 1,
    max: 2,
    build: (input) => {
      const [first] = input.args
      if (first === undefined) throw unsupported(input.name)
      const value = numeric(first, input.zone)
      const digits = input.args.length > 1 ? constantInteger(input, 1) : 0
      if (value.type.kind === 'fixed') return toDigits(value, Math.max(digits, -37), how)
      const factor = `CAST('1e${digits}' AS DOUBLE)`
      return { sql: `(${how}(${value.sql} * ${factor}) / ${factor})`, type: REAL }
    },
  }
}

const binary = (operator: string): FunctionDefinition => ({
  min: 2,
  max: 2,
  build: ({ args: [a, b], zone, name }) => {
    if (a === undefined || b === undefined) throw unsupported(name)
    return arithmetic(operator, a, b, zone)
  },
})

const divideOrZero = (nullToo: boolean): FunctionDefinition => ({
  min: 2,
  max: 2,
  build: ({ args: [a, b], zone, name }) => {
    if (a === undefined || b === undefined) throw unsupported(name)
    const divisor = numeric(b, zone)
    const quotient = arithmetic('/', a, divisor, zone)
    const zero = `${divisor.sql} = 0${nullToo ? ` OR ${divisor.sql} IS NULL` : ''}`
    const nothing = `CASE WHEN ${numeric(a, zone).sql} IS NULL THEN NULL ELSE 0 END`
    return {
      sql: `CASE WHEN ${zero} THEN ${nothing} ELSE ${quotient.sql} END`,
      type: quotient.type,
    }
  },
})

/** Of several values of one type; `build` gets their texts. */
export const alike = (
  min: number,
  max: number,
  build: (args: readonly string[]) => string,
): FunctionDefinition => ({
  min,
  max,
  build: ({ args, zone }) => {
    const { args: same, type } = unify(args, zone)
    return { sql: `(${build(same.map(({ sql }) => sql))})`, type }
  },
})

const extreme = (name: string): FunctionDefinition =>
  alike(
    1,
    MANY,
    (args) =>
      `CASE WHEN ${args.map((arg) => `${arg} IS NULL`).join(' OR ')} THEN NULL ELSE ${name}(${args.join(', ')}) END`,
  )

/** IFF(condition, a, b), NVL2(value, a, b): the first is no part of the answer. */
const choice = (test: (value: Typed, zone: string) => string): FunctionDefinition => ({
  min: 3,
  max: 3,
  build: ({ args: [first, ...rest], zone, name }) => {
    if (first === undefined) throw unsupported(name)
    const { args: same, type } = unify(rest, zone)
    const [yes, no] = same.map(({ sql }) => sql)
    return { sql: `CASE WHEN ${test(first, zone)} THEN ${yes} ELSE ${no} END`, type }
  },
})

function decode({ args, zone, name }: CallInput): Typed {
  const [subject, ...rest] = args
  if (subject === undefined) throw unsupported(name)
  const searches = rest.filter((_, index) => index % 2 === 0 && index + 1 < rest.length)
  const results = rest.filter((_, index) => index % 2 === 1 || index + 1 === rest.length)
  const compared = unify([subject, ...searches], zone).args.map(({ sql }) => sql)
  const { args: answers, type } = unify(results, zone)
  const branches = searches.map(
    (_, index) =>
      `WHEN ${compared[0]} IS NOT DISTINCT FROM ${compared[index + 1]} THEN ${answers[index]?.sql}`,
  )
  const otherwise = results.length > searches.length ? ` ELSE ${answers.at(-1)?.sql}` : ''
  return { sql: `CASE ${branches.join(' ')}${otherwise} END`, type }
}

const HAVERSINE_KM = 6_371

export const NUMERIC: Readonly<Record<string, FunctionDefinition>> = {
  ABS: define('num', sameAsFirst, (x) => `abs(${x})`),
  ACOS: real('acos'),
  ASIN: real('asin'),
  ATAN: real('atan'),
  ATAN2: define('real real', REAL, (y, x) => `atan2(${y}, ${x})`),
  BITAND: define('int int', INT, (a, b) => `CAST(${a} AS BIGINT) & CAST(${b} AS BIGINT)`),
  BITNOT: define('int', INT, (a) => `~CAST(${a} AS BIGINT)`),
  BITOR: define('int int', INT, (a, b) => `CAST(${a} AS BIGINT) | CAST(${b} AS BIGINT)`),
  BITSHIFTRIGHT: define('int int', INT, (a, b) => `CAST(${a} AS BIGINT) >> CAST(${b} AS BIGINT)`),
  BITXOR: define('int int', INT, (a, b) => `xor(CAST(${a} AS BIGINT), CAST(${b} AS BIGINT))`),
  CBRT: real('cbrt'),
  CEIL: rounding('ceil'),
  CEILING: rounding('ceil'),
  COALESCE: alike(1, MANY, (args) => `coalesce(${args.join(', ')})`),
  COS: real('cos'),
  COSH: real('cosh'),
  COT: real('cot'),
  DECODE: { min: 3, max: MANY, build: decode },
  DEGREES: real('degrees'),
  DIV0: divideOrZero(false),
  DIV0NULL: divideOrZero(true),
  EQUAL_NULL: {
    min: 2,
    max: 2,
    build: ({ args, zone }) => {
      const [a, b] = unify(args, zone).args
      return { sql: `(${a?.sql} IS NOT DISTINCT FROM ${b?.sql})`, type: BOOLEAN }
    },
  },
  EXP: real('exp'),
  FACTORIAL: define('int', INT, (n) => `factorial(CAST(${n} AS INTEGER))`),
  FLOOR: rounding('floor'),
  GREATEST: extreme('greatest'),
  GREATEST_IGNORE_NULLS: alike(1, MANY, (args) => `greatest(${args.join(', ')})`),
  /** Kilometres between two points given in degrees. */
  HAVERSINE: define('real real real real', REAL, (lat1, lon1, lat2, lon2) => {
    const square = `pow(sin(radians(${lat2} - ${lat1}) / 2), 2) + cos(radians(${lat1})) * cos(radians(${lat2})) * pow(sin(radians(${lon2} - ${lon1}) / 2), 2)`
    // Rounding may exceed 1. Not by least(), which passes over NULL.
    return `2 * ${HAVERSINE_KM} * asin(CASE WHEN ${square} > 1 THEN 1 ELSE sqrt(${square}) END)`
  }),
  IFF: choice((condition, zone) => cast(condition, BOOLEAN, { zone }).sql),
  IFNULL: alike(2, 2, (args) => `coalesce(${args.join(', ')})`),
  LEAST: extreme('least'),
  LEAST_IGNORE_NULLS: alike(1, MANY, (args) => `least(${args.join(', ')})`),
  LN: real('ln'),
  LOG: define('real real', REAL, (base, x) => `ln(${x}) / ln(${base})`),
  MOD: binary('%'),
  NULLIF: {
    min: 2,
    max: 2,
    build: ({ args, zone, name }) => {
      const [first] = args
      if (first === undefined) throw unsupported(name)
      const [a, b] = unify(args, zone).args
      return {
        sql: `CASE WHEN ${a?.sql} = ${b?.sql} THEN NULL ELSE ${first.sql} END`,
        type: first.type,
      }
    },
  },
  NULLIFZERO: define('num', sameAsFirst, (x) => `CASE WHEN ${x} = 0 THEN NULL ELSE ${x} END`),
  NVL: alike(2, 2, (args) => `coalesce(${args.join(', ')})`),
  NVL2: choice((value) => `${value.sql} IS NOT NULL`),
  PI: define('', REAL, () => 'pi()'),
  POW: define('real real', REAL, (x, y) => `pow(${x}, ${y})`),
  POWER: define('real real', REAL, (x, y) => `pow(${x}, ${y})`),
  RADIANS: real('radians'),
  RANDOM: define('int?', INT, () => 'CAST(random() * 9223372036854775807 AS BIGINT)'),
  ROUND: rounding('round'),
  SIGN: define('num', INT, (x) => `sign(${x})`),
  SIN: real('sin'),
  SINH: real('sinh'),
  SQRT: real('sqrt'),
  SQUARE: define('real', REAL, (x) => `${x} * ${x}`),
  TAN: real('tan'),
  TANH: real('tanh'),
  TRUNC: rounding('trunc'),
  TRUNCATE: rounding('trunc'),
  WIDTH_BUCKET: define(
    'real real real int',
    INT,
    (x, low, high, n) =>
      `CASE WHEN ${x} < ${low} THEN 0 WHEN ${x} >= ${high} THEN CAST(${n} AS BIGINT) + 1 ELSE CAST(floor((${x} - ${low}) / (${high} - ${low}) * CAST(${n} AS DOUBLE)) AS BIGINT) + 1 END`,
  ),
  ZEROIFNULL: define('num', sameAsFirst, (x) => `coalesce(${x}, 0)`),
}
