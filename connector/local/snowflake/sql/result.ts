/** A column of a result as the driver protocol describes it; types in lower case. */
export interface ResultColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly precision: number | null
  readonly scale: number | null
  readonly length: number | null
}

export type Cell = string | null

/** What a statement answers: every cell a text in the driver's encoding, or null. */
export interface ResultSet {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Cell[])[]
}

const TEXT_LENGTH = 16_777_216
const BINARY_LENGTH = 8_388_608

export const column = (name: string, type = 'text', scale: number | null = null): ResultColumn => ({
  name,
  type,
  nullable: true,
  precision: type === 'fixed' ? 38 : null,
  scale: type === 'fixed' ? (scale ?? 0) : type.startsWith('time') ? 9 : null,
  length: type === 'text' ? TEXT_LENGTH : type === 'binary' ? BINARY_LENGTH : null,
})

/** The one-line answer of statements that return no rows. */
export const statusResult = (status: string): ResultSet => ({
  columns: [column('status')],
  rows: [[status]],
})

/** A table of texts; a name may carry its type, e.g. `created_on:timestamp_ltz`. */
export const listResult = (
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): ResultSet => ({
  columns: columns.map((text) => {
    const [name = '', type] = text.split(':')
    return column(name, type)
  }),
  rows,
})

/** Milliseconds since the epoch as the driver wants timestamps. */
export const timestampCell = (ms: number | undefined): Cell =>
  ms === undefined || Number.isNaN(ms) ? null : (ms / 1_000).toFixed(9)
