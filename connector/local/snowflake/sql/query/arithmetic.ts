// Numbers as Snowflake computes with them: exact decimals, whose division keeps six digits more and rounds.
import { cast } from './casts.ts'
import { numeric } from './functions/definition.ts'
import { fixed, REAL, type SqlType, type Typed } from './sql-types.ts'

const DIGITS_MAX = 12
const QUOTIENT_DIGITS = 6

const scaleOf = (type: SqlType): number => (type.kind === 'fixed' ? type.scale : 0)

/** Digits after the point of a quotient whose dividend has `scale`. */
export const quotientScale = (scale: number): number =>
  Math.max(scale, Math.min(scale + QUOTIENT_DIGITS, DIGITS_MAX))

/** `left operator right` for + - * / %. */
export function arithmetic(operator: string, a: Typed, b: Typed, zone: string): Typed {
  const [left, right] = [numeric(a, zone), numeric(b, zone)]
  if (left.type.kind === 'real' || right.type.kind === 'real') {
    const [x, y] = [cast(left, REAL, { zone }).sql, cast(right, REAL, { zone }).sql]
    if (operator !== '/' && operator !== '%') return { sql: `(${x} ${operator} ${y})`, type: REAL }
    return { sql: notByZero(`(${x} ${operator} ${y})`, y), type: REAL }
  }
  const [s, t] = [scaleOf(left.type), scaleOf(right.type)]
  if (operator === '*') {
    const scale = Math.min(s + t, Math.max(s, t, DIGITS_MAX))
    const product =
      s + t === 0 ? `(${whole(left)} * ${whole(right)})` : `(${exact(left)} * ${exact(right)})`
    return {
      sql: s + t === 0 ? product : `CAST(${product} AS DECIMAL(38,${scale}))`,
      type: fixed(scale),
    }
  }
  if (operator === '/') return divide(left, right)
  const scale = Math.max(s, t)
  const [x, y] = scale === 0 ? [whole(left), whole(right)] : [wide(left, scale), wide(right, scale)]
  const sql = `(${x} ${operator} ${y})`
  return { sql: operator === '%' ? notByZero(sql, y) : sql, type: fixed(scale) }
}

/** Integers of the engine overflow where Snowflake's do not. */
export const whole = ({ sql }: Typed): string => `CAST(${sql} AS HUGEINT)`
const wide = ({ sql }: Typed, scale: number): string => `CAST(${sql} AS DECIMAL(38,${scale}))`
/** The engine computes in 64 bits as long as both sides fit those. */
const exact = ({ sql, type }: Typed): string => `CAST(${sql} AS DECIMAL(38,${scaleOf(type)}))`

const notByZero = (sql: string, divisor: string): string =>
  `CASE WHEN ${divisor} = 0 THEN error('Division by zero') ELSE ${sql} END`

const power = (digits: number): string => `CAST(1${'0'.repeat(digits)} AS HUGEINT)`

/** A decimal's digits as a whole number. */
export const unscaled = ({ sql, type }: Typed): string => {
  const scale = scaleOf(type)
  return scale === 0
    ? `CAST(${sql} AS HUGEINT)`
    : `CAST(CAST(${sql} AS DECIMAL(38,${scale})) * CAST(1${'0'.repeat(scale)} AS DECIMAL(${scale + 1},0)) AS HUGEINT)`
}

/** The other way: a whole number's digits with a point `scale` digits from their end. */
export const scaled = (digits: string, scale: number): string =>
  scale === 0
    ? digits
    : `(CAST(${digits} AS DECIMAL(38,0)) * CAST('0.${'1'.padStart(scale, '0')}' AS DECIMAL(${scale + 1},${scale})))`

function divide(left: Typed, right: Typed): Typed {
  const [s, t] = [scaleOf(left.type), scaleOf(right.type)]
  const scale = quotientScale(s)
  const dividend = `(${unscaled(left)} * ${power(scale - s + t)})`
  const divisor = unscaled(right)
  const rounded = `((2 * abs(${dividend}) + abs(${divisor})) // (2 * abs(${divisor})) * sign(${dividend}) * sign(${divisor}))`
  return { sql: notByZero(scaled(rounded, scale), divisor), type: fixed(scale) }
}

/** The number cut or rounded to `digits` after (or, negative, before) the point. */
export function toDigits(
  value: Typed,
  digits: number,
  how: 'round' | 'trunc' | 'ceil' | 'floor',
): Typed {
  const scale = scaleOf(value.type)
  if (digits >= scale) return value
  const unit = power(scale - digits)
  const n = unscaled(value)
  const result = {
    round: `((2 * abs(${n}) + ${unit}) // (2 * ${unit}) * sign(${n}))`,
    trunc: `(${n} // ${unit})`,
    floor: `(CASE WHEN ${n} < 0 AND ${n} % ${unit} <> 0 THEN ${n} // ${unit} - 1 ELSE ${n} // ${unit} END)`,
    ceil: `(CASE WHEN ${n} > 0 AND ${n} % ${unit} <> 0 THEN ${n} // ${unit} + 1 ELSE ${n} // ${unit} END)`,
  }[how]
  if (digits < 0) return { sql: `(${result} * ${power(-digits)})`, type: fixed(0) }
  return { sql: scaled(result, digits), type: fixed(digits) }
}
