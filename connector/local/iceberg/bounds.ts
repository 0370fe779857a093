// Column bounds in manifests: Iceberg's single-value serialisation
// (https://iceberg.apache.org/spec/#binary-single-value-serialization), from the texts in which DuckDB
// reports a file's statistics. No bound is always allowed, a wrong one hides rows: where in doubt, none.
import { parsePrimitive } from './schema.ts'

const TRUNCATE = 16
const DAY_MS = 86_400_000

/** The bound's bytes, or undefined when there must be none. `text` is a minimum or maximum as DuckDB prints it. */
export function boundFromText(
  type: string,
  text: string,
  side: 'lower' | 'upper',
): Uint8Array | undefined {
  const primitive = parsePrimitive(type)
  switch (primitive.name) {
    case 'boolean':
      return Uint8Array.of(text === '1' || text === 'true' ? 1 : 0)
    case 'int':
      return int32(Number(text))
    case 'long':
      return int64(BigInt(text))
    case 'float':
    case 'double':
      return floating(primitive.name, text, side)
    case 'date': {
      const days = parseDate(text)
      return days === undefined ? undefined : int32(days)
    }
    case 'time': {
      const micros = parseTime(text)
      return micros === undefined ? undefined : int64(micros)
    }
    case 'timestamp':
    case 'timestamptz': {
      const micros = parseTimestamp(text)
      return micros === undefined ? undefined : int64(micros)
    }
    case 'decimal':
      return twosComplement(BigInt(text.replace('.', '')))
    case 'uuid':
      return Buffer.from(text.replaceAll('-', ''), 'hex')
    case 'string':
      return side === 'lower' ? lowerString(text) : upperString(text)
    case 'binary':
    case 'fixed': {
      const bytes = Buffer.from(text, 'hex')
      return side === 'lower' ? bytes.subarray(0, TRUNCATE) : upperBytes(bytes)
    }
    default:
      return primitive satisfies never
  }
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function int64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

function floating(
  type: 'float' | 'double',
  text: string,
  side: 'lower' | 'upper',
): Uint8Array | undefined {
  let value =
    text === 'inf'
      ? Number.POSITIVE_INFINITY
      : text === '-inf'
        ? Number.NEGATIVE_INFINITY
        : Number(text)
  if (Number.isNaN(value)) return undefined
  // -0.0 sorts before 0.0 in Iceberg; DuckDB holds them for equal and reports either.
  if (value === 0) value = side === 'lower' ? -0 : 0
  const bytes = Buffer.alloc(type === 'float' ? 4 : 8)
  if (type === 'float') bytes.writeFloatLE(value)
  else bytes.writeDoubleLE(value)
  return bytes
}

/** Days since the epoch. */
function parseDate(text: string): number | undefined {
  const match = /^(\d{4,6})-(\d\d)-(\d\d)$/.exec(text)
  if (match === null) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  const days = date.getTime() / DAY_MS
  return Number.isInteger(days) ? days : undefined
}

/** Microseconds since midnight. */
function parseTime(text: string): bigint | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text)
  if (match === null) return undefined
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])
  return BigInt(seconds) * 1_000_000n + BigInt((match[4] ?? '').padEnd(6, '0'))
}

/** Microseconds since the epoch. */
function parseTimestamp(text: string): bigint | undefined {
  const [date = '', time = '', ...rest] = text.replace(/\+00$/, '').split(' ')
  const days = parseDate(date)
  const micros = parseTime(time)
  if (days === undefined || micros === undefined || rest.length > 0) return undefined
  return BigInt(days) * BigInt(DAY_MS) * 1000n + micros
}

/** Big-endian two's complement in as few bytes as hold it. */
function twosComplement(value: bigint): Uint8Array {
  let bytes = 1
  while (BigInt.asIntN(bytes * 8, value) !== value) bytes++
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0')
  return Buffer.from(hex, 'hex')
}

const lowerString = (text: string): Uint8Array =>
  Buffer.from(Array.from(text).slice(0, TRUNCATE).join(''), 'utf8')

/** The text, or the smallest one of 16 characters that sorts after all texts with its first 16. */
function upperString(text: string): Uint8Array | undefined {
  const points = Array.from(text).map((char) => char.codePointAt(0) ?? 0)
  if (points.length <= TRUNCATE) return Buffer.from(text, 'utf8')
  const kept = points.slice(0, TRUNCATE)
  for (let point = kept.pop(); point !== undefined; point = kept.pop()) {
    // U+D800 to U+DFFF are no characters of their own.
    const next = point === 0xd7ff ? 0xe000 : point + 1
    if (next <= 0x10ffff) return Buffer.from(String.fromCodePoint(...kept, next), 'utf8')
  }
  return undefined
}

function upperBytes(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length <= TRUNCATE) return bytes
  const kept = [...bytes.subarray(0, TRUNCATE)]
  for (let byte = kept.pop(); byte !== undefined; byte = kept.pop()) {
    if (byte < 0xff) return Uint8Array.of(...kept, byte + 1)
  }
  return undefined
}
