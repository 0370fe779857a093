import type { Check } from './column-check.ts'
import { NumberText } from './exact-json.ts'
import { NEEDS_EXACT_NUMBERS, ROW_ERROR_CODES, RowError, shown } from './row-error.ts'

const NUMERIC = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\s*$/
const EXPONENT_MAX = 350

/**
 * A decimal text as an integer at `scale`, rounded half away from zero, or undefined when it is not a number.
 */
export function unscaled(text: string, scale: number): bigint | undefined {
  const [, sign, whole = '', fraction = '', exponentText] = NUMERIC.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') return undefined
  const exponent = Number(exponentText ?? 0)
  if (Math.abs(exponent) > EXPONENT_MAX || whole.length + fraction.length > 1_000) return undefined
  const digits = BigInt(whole + fraction)
  const shift = scale - fraction.length + exponent
  let value = digits
  if (shift >= 0) value *= 10n ** BigInt(shift)
  else {
    const divisor = 10n ** BigInt(-shift)
    value = (digits * 2n + divisor) / (divisor * 2n)
  }
  return sign === '-' ? -value : value
}

/** The digits of an integer at `scale`, e.g. (-1230n, 2) → `-12.30`. */
export function decimalText(value: bigint, scale: number): string {
  if (scale === 0) return String(value)
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function numberText(value: unknown, column: string): string {
  if (typeof value === 'string') return value
  if (value instanceof NumberText) return value.text
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value)
    throw NEEDS_EXACT_NUMBERS
  }
  throw notANumber(value, column)
}

const notANumber = (value: unknown, column: string): RowError =>
  new RowError(`Numeric value ${shown(value)} is not recognized, column ${column}`, {
    code: ROW_ERROR_CODES.numeric,
  })

/** A signed integer of `bits`: JSON numbers and numeric strings; fractions are rounded as NUMBER(p,0) does. */
export function integerCheck(bits: 32 | 64, column: string): Check {
  const low = -(2n ** BigInt(bits - 1))
  const high = -low - 1n
  const lowSafe = Math.max(Number(low), Number.MIN_SAFE_INTEGER)
  const highSafe = Math.min(Number(high), Number.MAX_SAFE_INTEGER)
  return (value) => {
    if (
      typeof value === 'number' &&
      value >= lowSafe &&
      value <= highSafe &&
      Number.isInteger(value)
    )
      return value
    const exact = unscaled(numberText(value, column), 0)
    if (exact === undefined) throw notANumber(value, column)
    if (exact < low || exact > high)
      throw new RowError(
        `Numeric value ${shown(String(exact))} is out of range ${low}..${high}, column ${column}`,
      )
    const text = String(exact)
    return value instanceof NumberText && value.text === text ? value : new NumberText(text)
  }
}

/** decimal(p,s): a string that fits passes as it is; numbers become strings; excess digits are rounded. */
export function decimalCheck(precision: number, scale: number, column: string): Check {
  const whole = precision - scale
  const fits = new RegExp(
    `^-?${whole === 0 ? '0' : `\\d{1,${whole}}`}${scale === 0 ? '' : `(?:\\.\\d{1,${scale}})?`}$`,
  )
  const limit = 10n ** BigInt(precision)
  return (value) => {
    if (typeof value === 'string' && fits.test(value)) return value
    const exact = unscaled(numberText(value, column), scale)
    if (exact === undefined) throw notANumber(value, column)
    if (exact >= limit || exact <= -limit)
      throw new RowError(
        `Numeric value ${shown(numberText(value, column))} is out of range of NUMBER(${precision},${scale}), column ${column}`,
      )
    return decimalText(exact, scale)
  }
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['NAN', 'NaN'],
  ['INF', 'Infinity'],
  ['INFINITY', 'Infinity'],
  ['-INF', '-Infinity'],
  ['-INFINITY', '-Infinity'],
])

/** A float or double: numbers, numeric strings, and NaN and the infinities as strings. */
export function floatCheck(bits: 32 | 64, column: string): Check {
  return (value) => {
    if (typeof value === 'number') {
      const stored = bits === 32 ? Math.fround(value) : value
      if (Number.isFinite(stored)) return value
      throw new RowError(`Numeric value ${shown(value)} is out of range, column ${column}`)
    }
    if (value instanceof NumberText) {
      const number = Number(value.text)
      if (Number.isFinite(bits === 32 ? Math.fround(number) : number)) return value
      throw new RowError(`Numeric value ${shown(value.text)} is out of range, column ${column}`)
    }
    if (typeof value !== 'string') throw notANumber(value, column)
    const special = SPECIAL.get(value.trim().toUpperCase())
    if (special !== undefined) return special
    const number = Number(value)
    if (!NUMERIC.test(value) || !Number.isFinite(bits === 32 ? Math.fround(number) : number))
      throw notANumber(value, column)
    return number
  }
}
