import type { ColumnType, ObjectField } from './column-type.ts'

const SIMPLE: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: { kind: 'boolean' },
  // Snowflake shows Iceberg's float and double both as FLOAT, and computes with 64 bits in either case.
  FLOAT: { kind: 'double' },
  FLOAT4: { kind: 'double' },
  FLOAT8: { kind: 'double' },
  DOUBLE: { kind: 'double' },
  REAL: { kind: 'double' },
  STRING: { kind: 'string' },
  VARCHAR: { kind: 'string' },
  TEXT: { kind: 'string' },
  CHAR: { kind: 'string' },
  BINARY: { kind: 'binary' },
  VARBINARY: { kind: 'binary' },
  FIXED: { kind: 'binary' },
  DATE: { kind: 'date' },
  TIME: { kind: 'time' },
  VARIANT: { kind: 'variant' },
  TIMESTAMP_LTZ: { kind: 'timestamp', zone: 'ltz' },
  TIMESTAMP_NTZ: { kind: 'timestamp', zone: 'ntz' },
  TIMESTAMP_TZ: { kind: 'timestamp', zone: 'tz' },
  DATETIME: { kind: 'timestamp', zone: 'ntz' },
  INT: { kind: 'number', precision: 10, scale: 0 },
  INTEGER: { kind: 'number', precision: 10, scale: 0 },
  BIGINT: { kind: 'number', precision: 19, scale: 0 },
  LONG: { kind: 'number', precision: 19, scale: 0 },
}
const DEPTH_MAX = 64

/** Reads a type as `DESCRIBE TABLE` shows it. What it does not know becomes `other`. Never throws. */
export function parseType(sql: string): ColumnType {
  const parser = new Parser(sql)
  const type = parser.type(0)
  return type !== undefined && parser.atEnd() ? type : { kind: 'other', sql }
}

class Parser {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(sql: string) {
    this.#tokens = sql.match(/"(?:[^"]|"")*"|[A-Za-z_0-9$]+|[(),]/g) ?? []
  }

  atEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  type(depth: number): ColumnType | undefined {
    const name = this.#next()?.toUpperCase()
    if (name === undefined || depth > DEPTH_MAX) return undefined
    if (name === 'NUMBER' || name === 'DECIMAL' || name === 'NUMERIC') return this.#number()
    if (name === 'OBJECT' && this.#peek() === '(') return this.#object(depth)
    if (name === 'ARRAY' && this.#peek() === '(') return this.#array(depth)
    if (name === 'MAP' && this.#peek() === '(') return this.#map(depth)
    this.#arguments()
    return SIMPLE[name]
  }

  #number(): ColumnType {
    const [precision = 38, scale = 0] = this.#arguments().map(Number)
    return { kind: 'number', precision, scale }
  }

  #object(depth: number): ColumnType | undefined {
    const fields: ObjectField[] = []
    this.#next()
    while (this.#peek() !== ')') {
      const name = this.#next()
      const type = this.type(depth + 1)
      if (name === undefined || type === undefined) return undefined
      fields.push({ name: name.startsWith('"') ? unquote(name) : name, type })
      this.#notNull()
      if (this.#peek() === ',') this.#next()
    }
    this.#next()
    return { kind: 'object', fields }
  }

  #array(depth: number): ColumnType | undefined {
    this.#next()
    const element = this.type(depth + 1)
    this.#notNull()
    return element !== undefined && this.#next() === ')' ? { kind: 'array', element } : undefined
  }

  #map(depth: number): ColumnType | undefined {
    this.#next()
    const key = this.type(depth + 1)
    if (this.#next() !== ',') return undefined
    const value = this.type(depth + 1)
    this.#notNull()
    if (key?.kind !== 'string' || value === undefined || this.#next() !== ')') return undefined
    return { kind: 'map', value }
  }

  /** `(…)` after a name, e.g. a length. */
  #arguments(): readonly string[] {
    if (this.#peek() !== '(') return []
    const found: string[] = []
    this.#next()
    for (let token = this.#next(); token !== undefined && token !== ')'; token = this.#next()) {
      if (token !== ',') found.push(token)
    }
    return found
  }

  #notNull(): void {
    while (/^(NOT|NULL)$/i.test(this.#peek() ?? '')) this.#next()
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++]
  }
}

const unquote = (name: string): string => name.slice(1, -1).replaceAll('""', '"')
