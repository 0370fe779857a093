// Random expressions together with their values, computed here and not by the query engine.
import type { Random } from '../../connector/api/clock.ts'

/** A decimal as its digits and how many of them stand after the point. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

/** An expression and what it is; `value` null for NULL. Throws while it is made: it divides by zero. */
export interface NumberCase {
  readonly sql: string
  readonly scale: number
  readonly value: bigint | null
}
export interface TextCase {
  readonly sql: string
  readonly value: string | null
}
export interface TruthCase {
  readonly sql: string
  readonly value: boolean | null
}

export class DivisionByZero extends Error {}

const ALPHABET = [
  "'",
  '\\',
  ',',
  ' ',
  '%',
  '_',
  'a',
  'B',
  'c',
  'Z',
  '0',
  '9',
  '"',
  '$',
  '-',
  ';',
  '/',
]
const SCALE_MAX = 12

const pow10 = (n: number): bigint => 10n ** BigInt(n)
const abs = (n: bigint): bigint => (n < 0n ? -n : n)
const sign = (n: bigint): bigint => (n < 0n ? -1n : n > 0n ? 1n : 0n)
/** n / d, rounded half away from zero. */
const divideRounded = (n: bigint, d: bigint): bigint =>
  ((2n * abs(n) + abs(d)) / (2n * abs(d))) * sign(n) * sign(d)

const rescale = (value: bigint | null, from: number, to: number): bigint | null => {
  if (value === null) return null
  return to >= from ? value * pow10(to - from) : divideRounded(value, pow10(from - to))
}

/** As the driver protocol writes it, or nothing for NULL. */
export function decimalText(value: bigint | null, scale: number): string {
  if (value === null) return ''
  const text = abs(value)
    .toString()
    .padStart(scale + 1, '0')
  const shown = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
  return `${value < 0n ? '-' : ''}${shown}`
}

export const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** Makes expressions from a source of randomness. */
export class Expressions {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  below(n: number): number {
    return Math.floor(this.#random() * n)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined)
      throw new RangeError('Expected at least one item to pick from, got none.')
    return item
  }

  number(depth: number): NumberCase {
    if (depth <= 0 || this.below(5) === 0) return this.#literal()
    const makers = [
      () => this.#sum(depth),
      () => this.#product(depth),
      () => this.#quotient(depth),
      () => this.#choice(depth),
      () => this.#rounded(depth),
      () => this.#ofText(depth),
      () => this.#coalesced(depth),
      () => this.#remainder(depth),
    ]
    return this.pick(makers)()
  }

  #literal(): NumberCase {
    const scale = this.pick([0, 0, 0, 1, 2, 3])
    if (this.below(8) === 0) return { sql: `null::number(12,${scale})`, scale, value: null }
    const digits =
      this.below(4) === 0
        ? BigInt(this.below(2_000_000_000)) - 1_000_000_000n
        : BigInt(this.below(20_000)) - 10_000n
    const text = decimalText(digits, scale)
    return { sql: digits < 0n ? `(${text})` : text, scale, value: digits }
  }

  #sum(depth: number): NumberCase {
    const [a, b] = [this.number(depth - 1), this.number(depth - 1)]
    const scale = Math.max(a.scale, b.scale)
    const [x, y] = [rescale(a.value, a.scale, scale), rescale(b.value, b.scale, scale)]
    const isPlus = this.below(2) === 0
    const value = x === null || y === null ? null : isPlus ? x + y : x - y
    return { sql: `(${a.sql} ${isPlus ? '+' : '-'} ${b.sql})`, scale, value }
  }

  #product(depth: number): NumberCase {
    const [a, b] = [this.number(Math.min(depth - 1, 1)), this.#literal()]
    const scale = Math.min(a.scale + b.scale, Math.max(a.scale, b.scale, SCALE_MAX))
    const value =
      a.value === null || b.value === null
        ? null
        : rescale(a.value * b.value, a.scale + b.scale, scale)
    return { sql: `${a.sql} * ${b.sql}`, scale, value }
  }

  #quotient(depth: number): NumberCase {
    const [a, b] = [this.number(Math.min(depth - 1, 1)), this.#literal()]
    const scale = Math.max(a.scale, Math.min(a.scale + 6, SCALE_MAX))
    const sql = `(${a.sql} / ${b.sql})`
    if (b.value === 0n) throw new DivisionByZero(sql)
    const value =
      a.value === null || b.value === null
        ? null
        : divideRounded(a.value * pow10(scale - a.scale + b.scale), b.value)
    return { sql, scale, value }
  }

  #remainder(depth: number): NumberCase {
    const [a, b] = [this.number(Math.min(depth - 1, 1)), this.#literal()]
    const scale = Math.max(a.scale, b.scale)
    const [x, y] = [rescale(a.value, a.scale, scale), rescale(b.value, b.scale, scale)]
    const sql = `mod(${a.sql}, ${b.sql})`
    if (y === 0n) throw new DivisionByZero(sql)
    return { sql, scale, value: x === null || y === null ? null : x % y }
  }

  #choice(depth: number): NumberCase {
    const test = this.truth(depth - 1)
    const [a, b] = [this.number(depth - 1), this.number(depth - 1)]
    const scale = Math.max(a.scale, b.scale)
    const chosen = test.value === true ? a : b
    const value = rescale(chosen.value, chosen.scale, scale)
    const sql =
      this.below(2) === 0
        ? `iff(${test.sql}, ${a.sql}, ${b.sql})`
        : `case when ${test.sql} then ${a.sql} else ${b.sql} end`
    return { sql, scale, value }
  }

  #rounded(depth: number): NumberCase {
    const a = this.number(depth - 1)
    if (this.below(3) === 0)
      return { sql: `abs(${a.sql})`, scale: a.scale, value: a.value === null ? null : abs(a.value) }
    const digits = this.below(3)
    if (digits >= a.scale)
      return { sql: `round(${a.sql}, ${digits})`, scale: a.scale, value: a.value }
    return {
      sql: `round(${a.sql}, ${digits})`,
      scale: digits,
      value: rescale(a.value, a.scale, digits),
    }
  }

  #ofText(depth: number): NumberCase {
    const text = this.text(depth - 1)
    const value = text.value === null ? null : BigInt(Array.from(text.value).length)
    return { sql: `length(${text.sql})`, scale: 0, value }
  }

  #coalesced(depth: number): NumberCase {
    const [a, b] = [this.number(depth - 1), this.number(depth - 1)]
    const scale = Math.max(a.scale, b.scale)
    const chosen = a.value === null ? b : a
    return {
      sql: `${this.pick(['coalesce', 'nvl', 'ifnull'])}(${a.sql}, ${b.sql})`,
      scale,
      value: rescale(chosen.value, chosen.scale, scale),
    }
  }

  text(depth: number): TextCase {
    if (depth <= 0 || this.below(4) === 0) {
      if (this.below(8) === 0) return { sql: 'null::string', value: null }
      const value = Array.from({ length: this.below(7) }, () => this.pick(ALPHABET)).join('')
      return { sql: quoted(value), value }
    }
    const makers = [
      () => this.#concatenated(depth),
      () => this.#substring(depth),
      () => this.#cased(depth),
      () => this.#replaced(depth),
      () => this.#numberText(depth),
    ]
    return this.pick(makers)()
  }

  #concatenated(depth: number): TextCase {
    const [a, b] = [this.text(depth - 1), this.text(depth - 1)]
    const value = a.value === null || b.value === null ? null : a.value + b.value
    return {
      sql: this.below(2) === 0 ? `(${a.sql} || ${b.sql})` : `concat(${a.sql}, ${b.sql})`,
      value,
    }
  }

  #substring(depth: number): TextCase {
    const text = this.text(depth - 1)
    const [from, length] = [this.below(14) - 7, this.below(6)]
    const sql = `substr(${text.sql}, ${from}, ${length})`
    if (text.value === null) return { sql, value: null }
    const size = text.value.length
    if (from < -size) return { sql, value: '' }
    const start = from === 0 ? 0 : from > 0 ? from - 1 : size + from
    return { sql, value: text.value.slice(start, start + length) }
  }

  #cased(depth: number): TextCase {
    const { sql, value } = this.text(depth - 1)
    const [name, change] = this.pick<readonly [string, (text: string) => string]>([
      ['upper', (text) => text.toUpperCase()],
      ['lower', (text) => text.toLowerCase()],
      ['reverse', (text) => Array.from(text).toReversed().join('')],
      ['trim', (text) => text.replaceAll(/^ +| +$/g, '')],
    ])
    return { sql: `${name}(${sql})`, value: value === null ? null : change(value) }
  }

  #replaced(depth: number): TextCase {
    const text = this.text(depth - 1)
    const part = this.pick(['a', "'", ','])
    if (this.below(2) === 0) {
      const sql = `replace(${text.sql}, ${quoted(part)}, '<>')`
      return { sql, value: text.value === null ? null : text.value.replaceAll(part, '<>') }
    }
    const n = this.below(3) + 1
    const sql = `split_part(${text.sql}, ${quoted(part)}, ${n})`
    return { sql, value: text.value === null ? null : (text.value.split(part)[n - 1] ?? '') }
  }

  #numberText(depth: number): TextCase {
    const { sql, value, scale } = this.number(depth - 1)
    return { sql: `(${sql})::string`, value: value === null ? null : decimalText(value, scale) }
  }

  truth(depth: number): TruthCase {
    if (depth <= 0)
      return this.pick<TruthCase>([
        { sql: 'true', value: true },
        { sql: 'false', value: false },
        { sql: 'null::boolean', value: null },
      ])
    const makers = [
      () => this.#comparison(depth),
      () => this.#textComparison(depth),
      () => this.#connected(depth),
      () => this.#negated(depth),
      () => this.#isNull(depth),
      () => this.#between(depth),
    ]
    return this.pick(makers)()
  }

  #comparison(depth: number): TruthCase {
    const [a, b] = [this.number(depth - 1), this.number(depth - 1)]
    const scale = Math.max(a.scale, b.scale)
    const [x, y] = [rescale(a.value, a.scale, scale), rescale(b.value, b.scale, scale)]
    return this.#compared(
      a.sql,
      b.sql,
      x === null || y === null ? null : x < y ? -1 : x > y ? 1 : 0,
    )
  }

  #textComparison(depth: number): TruthCase {
    const [a, b] = [this.text(depth - 1), this.text(depth - 1)]
    const order =
      a.value === null || b.value === null
        ? null
        : a.value < b.value
          ? -1
          : a.value > b.value
            ? 1
            : 0
    return this.#compared(a.sql, b.sql, order)
  }

  #compared(left: string, right: string, order: number | null): TruthCase {
    const [operator, holds] = this.pick<readonly [string, (order: number) => boolean]>([
      ['=', (o) => o === 0],
      ['<>', (o) => o !== 0],
      ['<', (o) => o < 0],
      ['>=', (o) => o >= 0],
    ])
    return { sql: `(${left} ${operator} ${right})`, value: order === null ? null : holds(order) }
  }

  #connected(depth: number): TruthCase {
    const [a, b] = [this.truth(depth - 1), this.truth(depth - 1)]
    const isAnd = this.below(2) === 0
    const decisive = !isAnd
    const value =
      a.value === decisive || b.value === decisive
        ? decisive
        : a.value === null || b.value === null
          ? null
          : !decisive
    return { sql: `(${a.sql} ${isAnd ? 'and' : 'or'} ${b.sql})`, value }
  }

  #negated(depth: number): TruthCase {
    const { sql, value } = this.truth(depth - 1)
    return { sql: `(not ${sql})`, value: value === null ? null : !value }
  }

  #isNull(depth: number): TruthCase {
    const { sql, value } = this.below(2) === 0 ? this.number(depth - 1) : this.text(depth - 1)
    const isNot = this.below(2) === 0
    return { sql: `(${sql} is ${isNot ? 'not ' : ''}null)`, value: (value === null) !== isNot }
  }

  #between(depth: number): TruthCase {
    const a = this.number(depth - 1)
    const low = this.below(100) - 50
    const sql = `(${a.sql} between ${low} and ${low + 40})`
    if (a.value === null) return { sql, value: null }
    const [x, y] = [BigInt(low) * pow10(a.scale), BigInt(low + 40) * pow10(a.scale)]
    return { sql, value: a.value >= x && a.value <= y }
  }
}
