// A table with every column type that an Iceberg table of the endpoint has (but `time`, which Spark cannot read), its rows
// as a client sends them, and what an engine must find: in the notation of test/integration/readers/engine_values.py.

/** Raw JSON text that JSON.stringify would round: `exact(text)` is written without quotes. */
const exact = (text: string): string => `@@${text}@@`

type Layout = 0 | 1 | 2 | 3
type Row = Readonly<Record<string, unknown>>

const POS = 'lat DOUBLE, stop OBJECT(id STRING, seq INT), seen TIMESTAMP_LTZ(6)'
const LATER_POS =
  'lat DOUBLE, stop OBJECT(id STRING, seq BIGINT), seen TIMESTAMP_LTZ(6), bearing DOUBLE'

export const ALL_TYPES = `CREATE ICEBERG TABLE MTA.RAW.EVERYTHING (N INT NOT NULL, L BIGINT, D38 NUMBER(38,0),
  PRICE NUMBER(10,2), FINE NUMBER(38,10), F FLOAT4, D DOUBLE, Q DOUBLE, B BOOLEAN, S STRING, BI BINARY, DA DATE,
  TS TIMESTAMP_NTZ(6), TZ TIMESTAMP_LTZ(6), U UUID, POS OBJECT(${POS}), TAGS ARRAY(STRING), MATRIX ARRAY(ARRAY(INT)),
  LEGS ARRAY(OBJECT(id STRING, delays ARRAY(INT))), COUNTS MAP(VARCHAR, BIGINT), CODES MAP(INT, STRING),
  PLACES MAP(VARCHAR, OBJECT(lat DOUBLE, lon DOUBLE)))`

const FIRST =
  'N L D38 PRICE FINE F D Q B S BI DA TS TZ U POS TAGS MATRIX LEGS COUNTS CODES PLACES'.split(' ')
const RENAMED = FIRST.filter((name) => name !== 'B').map((name) => (name === 'S' ? 'TEXT' : name))

/** Column names after so many changes of the schema. */
export const LAYOUTS: readonly (readonly string[])[] = [
  FIRST,
  [...FIRST, 'NOTE'],
  [...RENAMED, 'NOTE'],
  [...RENAMED, 'NOTE', 'B'],
]

const table = 'ALTER ICEBERG TABLE MTA.RAW.EVERYTHING'
/** What makes a layout of the one before. */
const CHANGES: readonly (readonly string[])[] = [
  [],
  [
    `${table} ALTER COLUMN N SET DATA TYPE BIGINT, COLUMN PRICE SET DATA TYPE NUMBER(20,2), COLUMN F SET DATA TYPE DOUBLE`,
    `${table} ADD COLUMN NOTE STRING`,
  ],
  [`${table} RENAME COLUMN S TO TEXT`, `${table} DROP COLUMN B`],
  [
    `${table} ALTER COLUMN POS SET DATA TYPE OBJECT(${LATER_POS})`,
    `${table} ALTER COLUMN LEGS SET DATA TYPE ARRAY(OBJECT(id STRING, delays ARRAY(INT), late BOOLEAN))`,
    // The name of the column that was dropped: another column all the same.
    `${table} ADD COLUMN B STRING`,
  ],
]

const ROWS_A_BATCH = 5
/** How many batches each layout gets: the endpoint compacts after the sixteenth. */
const BATCHES_OF: readonly [Layout, number][] = [
  [0, 10],
  [1, 8],
  [2, 3],
  [3, 3],
]

export interface Batch {
  readonly ddl: readonly string[]
  readonly layout: Layout
  readonly numbers: readonly number[]
}

export const BATCHES: readonly Batch[] = BATCHES_OF.flatMap(([layout, count]) =>
  Array.from({ length: count }, (_, i) => ({
    layout,
    ddl: i === 0 ? (CHANGES[layout] ?? []) : [],
  })),
).map((batch, index) => ({
  ...batch,
  numbers: Array.from({ length: ROWS_A_BATCH }, (_, i) => index * ROWS_A_BATCH + i),
}))

/** A value as it is sent, and as it must be read. */
interface Both {
  readonly sent: unknown
  readonly read: unknown
}
const same = (value: unknown): Both => ({ sent: value, read: value })
const NULL = same(null)
const whole = (n: bigint | number): Both => ({ sent: exact(String(n)), read: String(n) })

function double(value: number): Both {
  const bits = Buffer.alloc(8)
  bits.writeDoubleBE(value)
  if (Number.isFinite(value)) return { sent: value, read: bits.toString('hex') }
  const read = Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  return { sent: String(value), read }
}

/** Local or UTC time of so many microseconds since the epoch. */
function moment(micros: bigint, zone: string): Both {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = Number((micros - fraction) / 1_000_000n)
  const text = new Date(seconds * 1_000).toISOString().slice(0, 19)
  return { sent: `${text}.${String(fraction).padStart(6, '0')}${zone}`, read: String(micros) }
}

const object = (entries: Readonly<Record<string, Both>>): Both => ({
  sent: Object.fromEntries(Object.entries(entries).map(([name, { sent }]) => [name, sent])),
  read: Object.fromEntries(Object.entries(entries).map(([name, { read }]) => [name, read])),
})
const list = (items: readonly Both[]): Both => ({
  sent: items.map(({ sent }) => sent),
  read: items.map(({ read }) => read),
})
const pairs = (items: readonly (readonly [Both, Both])[]): Both => ({
  sent: items.map(([key, value]) => [key.sent, value.sent]),
  read: items
    .map(([key, value]) => [key.read, value.read])
    .toSorted(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
})

/** Not-a-number and both infinities among ordinary numbers. */
const odd = (n: number): number =>
  [n / 3, -n * 1e200, Number.NaN, n / 7, Infinity, n * 1e-200, -Infinity][n % 7] ?? 0

const position = (n: number, layout: Layout): Both =>
  n % 5 === 0
    ? NULL
    : object({
        lat: n % 5 === 2 ? double(Number.NaN) : double(n / 7),
        stop: n % 5 === 1 ? NULL : object({ id: same(`R${n}`), seq: whole(n) }),
        seen: n % 5 === 3 ? NULL : moment(BigInt(n) * 987_654_321_012n, 'Z'),
        ...(layout === 3 && { bearing: n % 2 === 0 ? NULL : double(n / 2) }),
      })

const legs = (n: number, layout: Layout): Both => {
  const leg = (id: string, delays: Both): Both =>
    object({
      id: same(id),
      delays,
      ...(layout === 3 && { late: n % 2 === 0 ? NULL : same(true) }),
    })
  if (n % 4 === 0) return NULL
  const one = leg(`a${n}`, list([whole(n), NULL]))
  return list(n % 4 === 1 ? [one] : [one, leg('', n % 4 === 2 ? NULL : list([]))])
}

const maps = (n: number): Readonly<Record<string, Both>> => ({
  COUNTS:
    n % 3 === 0
      ? NULL
      : pairs(
          n % 3 === 1
            ? []
            : [
                [same('a'), whole(n)],
                [same('é'), NULL],
              ],
        ),
  CODES:
    n % 4 === 3
      ? NULL
      : pairs([
          [whole(n), same('x')],
          [whole(-n - 1), NULL],
        ]),
  PLACES:
    n % 6 === 0
      ? NULL
      : pairs([
          [same(`p${n}`), object({ lat: double(n / 9), lon: NULL })],
          [same('none'), NULL],
        ]),
})

function row(n: number, layout: Layout): Readonly<Record<string, Both>> {
  const sign = n % 2 === 0 ? '' : '-'
  const text = `${'long '.repeat(n % 23)}${['', 'é', '😀', '\u0000', '"\\\n'][n % 5] ?? ''}${n}`
  const fine = `${sign}${n + 1}12345678901234567.0000${String(n).padStart(6, '0')}`
  const large = `${sign}9${String(n).padStart(35, '7')}`
  return {
    N: whole(n),
    L: n % 9 === 8 ? NULL : whole(n % 2 === 0 ? 2n ** 63n - 1n - BigInt(n) : BigInt(n) - 2n ** 63n),
    D38: { sent: n % 4 < 2 ? large : exact(large), read: large },
    PRICE: n % 7 === 6 ? NULL : same(`${sign}${n}.25`),
    FINE: { sent: exact(fine), read: fine },
    F: double(layout === 0 ? Math.fround(odd(n)) : odd(n)),
    D: double(odd(n + 1)),
    Q: double(sign === '' ? n / 4 : -n / 8),
    ...(layout < 2 && { B: n % 3 === 2 ? NULL : same(n % 3 === 0) }),
    [layout < 2 ? 'S' : 'TEXT']: n % 11 === 10 ? NULL : same(text),
    BI: {
      sent: Buffer.from([n % 256, 0, 255]).toString('base64'),
      read: Buffer.from([n % 256, 0, 255]).toString('hex'),
    },
    DA: same(new Date(86_400_000 * (n * 997 - 40_000)).toISOString().slice(0, 10)),
    TS: moment(BigInt(n) * 34_567_890_123_457n - 2_000_000_000_000_001n, ''),
    TZ: n % 8 === 7 ? NULL : moment(BigInt(n) * -12_345_678_900_001n + 1n, 'Z'),
    U: same(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`),
    POS: position(n, layout),
    TAGS: n % 4 === 1 ? NULL : list([same(`t${n}`), NULL].slice(0, n % 3)),
    MATRIX: n % 5 === 4 ? NULL : list([list([whole(n), NULL]), list([]), NULL]),
    LEGS: legs(n, layout),
    ...maps(n),
    ...(layout > 0 && { NOTE: same(`note ${n % 10}`) }),
    ...(layout === 3 && { B: same(`b${n}`) }),
  }
}

/** A batch's rows as they are sent. */
export function ndjsonOf(layout: Layout, numbers: readonly number[]): string {
  return numbers
    .map((n) => {
      const entries = Object.entries(row(n, layout)).map(([name, { sent }]) => [name, sent])
      const json = JSON.stringify(Object.fromEntries(entries))
      return `${json.replaceAll(/"@@(.*?)@@"/g, '$1')}\n`
    })
    .join('')
}

/** What the last layout shows of every row that was sent, by N. */
export function expectedRows(): readonly Row[] {
  return BATCHES.flatMap(({ layout, numbers }) =>
    numbers.map((n) => {
      const found = row(n, layout)
      const read = (name: string): unknown => found[name]?.read ?? null
      const entries = (LAYOUTS[3] ?? []).map((name): [string, unknown] => {
        if (name === 'TEXT') return [name, read(layout < 2 ? 'S' : 'TEXT')]
        if (name === 'B' && layout < 3) return [name, null]
        return [name, read(name)]
      })
      return withLaterKeys(Object.fromEntries(entries))
    }),
  )
}

/** Keys that an object got later are null in what was written before. */
function withLaterKeys(found: Row): Row {
  const { POS: pos, LEGS: items } = found as {
    readonly POS: object | null
    readonly LEGS: readonly object[] | null
  }
  return {
    ...found,
    POS: pos && { bearing: null, ...pos },
    LEGS: items && items.map((leg) => ({ late: null, ...leg })),
  }
}

/** Columns whose sums every engine can hold exactly. */
export const SUMS = ['N', 'PRICE', 'D38', 'FINE', 'Q'] as const
/** Columns that every engine orders alike. */
export const RANGES = [
  'N',
  'L',
  'PRICE',
  'D38',
  'FINE',
  'Q',
  'TEXT',
  'BI',
  'DA',
  'TS',
  'TZ',
  'NOTE',
]

const SCALES: Readonly<Record<string, number>> = { PRICE: 2, FINE: 10 }
const texts = (rows: readonly Row[], name: string): readonly string[] =>
  rows.flatMap(({ [name]: text }) => (typeof text === 'string' ? [text] : []))
const ofBits = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE()
const unscaled = (text: string): bigint => BigInt(text.replace('.', ''))

/** The sum of a column of the rows, in the notation of its values. */
export function sumOf(rows: readonly Row[], name: string): string {
  if (name === 'Q') {
    const sum = texts(rows, name).reduce((total, bits) => total + ofBits(bits), 0)
    return String(double(sum).read)
  }
  const sum = texts(rows, name).reduce((total, text) => total + unscaled(text), 0n)
  const scale = SCALES[name] ?? 0
  if (scale === 0) return String(sum)
  const digits = String(sum < 0n ? -sum : sum).padStart(scale + 1, '0')
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The least and the greatest value of a column of the rows. */
export function rangeOf(rows: readonly Row[], name: string): readonly [string, string] {
  const sorted = texts(rows, name).toSorted((a, b) => {
    if (name === 'Q') return ofBits(a) - ofBits(b)
    if (['TEXT', 'NOTE', 'BI', 'DA'].includes(name))
      return Buffer.compare(Buffer.from(a), Buffer.from(b))
    return unscaled(a) < unscaled(b) ? -1 : 1
  })
  return [sorted[0] ?? '', sorted.at(-1) ?? '']
}
