// How results are shown: as a table for people, as CSV or JSON for programs.

/** Kinds of columns that are shown differently. Values are texts whatever the kind, so that no digit is lost. */
export type ColumnKind = 'text' | 'number' | 'boolean' | 'json'

export interface Column {
  readonly name: string
  readonly kind: ColumnKind
}

/** What a statement answered. */
export interface Result {
  readonly columns: readonly Column[]
  /** One text per column; null is SQL's NULL. */
  readonly rows: readonly (readonly (string | null)[])[]
  /** Whether rows were left out since there were more than asked for. */
  readonly isCut: boolean
}

export const FORMATS = ['table', 'csv', 'json'] as const
export type Format = (typeof FORMATS)[number]

export interface TableView {
  /** Widest cell in characters; longer texts end with an ellipsis. Undefined: as wide as they are. */
  readonly cellMax: number | undefined
}

/** The result as text that ends with a line end. */
export function formatResult(result: Result, format: Format, view: TableView): string {
  if (format === 'table') return table(result, view)
  return format === 'csv' ? csv(result) : json(result)
}

/** Terminals obey control characters, so a value must not hold one; line ends would break the table. */
const visible = (text: string): string =>
  text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, // oxlint-disable-line no-control-regex -- they are what is looked for
    (character) => ESCAPES[character] ?? `\\u${hex(character)}`,
  )
const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Characters as people count them. */
const characters = (text: string): readonly string[] =>
  Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
const ASCII = /^[\u0020-\u007e]*$/
const width = (text: string): number => (ASCII.test(text) ? text.length : characters(text).length)

function table(result: Result, view: TableView): string {
  const { columns, rows } = result
  const cell = (value: string | null): string => shorten(visible(value ?? 'NULL'), view.cellMax)
  const head = columns.map(({ name }) => cell(name))
  const body = rows.map((row) => row.map(cell))
  const widths = columns.map((_, index) =>
    [head, ...body].reduce((most, row) => Math.max(most, width(row[index] ?? '')), 0),
  )
  const pad = (text: string, index: number): string => {
    const blanks = ' '.repeat((widths[index] ?? 0) - width(text))
    return columns[index]?.kind === 'number' ? blanks + text : text + blanks
  }
  const line = (row: readonly string[]): string => `| ${row.map(pad).join(' | ')} |`
  const rule = `+${widths.map((count) => '-'.repeat(count + 2)).join('+')}+`
  const count = `${rows.length} row${rows.length === 1 ? '' : 's'}`
  const more = result.isCut ? ', and there are more (--max-rows)' : ''
  return [rule, line(head), rule, ...body.map(line), rule, `${count}${more}`, ''].join('\n')
}

function shorten(text: string, max: number | undefined): string {
  if (max === undefined || width(text) <= max) return text
  return `${characters(text)
    .slice(0, max - 1)
    .join('')}…`
}

/** RFC 4180 with line feeds. NULL is nothing between two commas, the empty text is "". */
function csv({ columns, rows }: Result): string {
  return [columns.map(({ name }) => name), ...rows]
    .map((row) => `${row.map(csvField).join(',')}\n`)
    .join('')
}

function csvField(value: string | null): string {
  if (value === null) return ''
  return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** An array of objects. Numbers keep all their digits, whatever JavaScript could hold. */
function json({ columns, rows }: Result): string {
  const names = uniqueNames(columns)
  const objects = rows.map((row) => {
    const members = row.map(
      (value, index) =>
        `${JSON.stringify(names[index] ?? '')}:${jsonValue(value, columns[index]?.kind ?? 'text')}`,
    )
    return `{${members.join(',')}}`
  })
  return objects.length === 0 ? '[]\n' : `[\n${objects.join(',\n')}\n]\n`
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function jsonValue(value: string | null, kind: ColumnKind): string {
  if (value === null) return 'null'
  if (kind === 'number' && JSON_NUMBER.test(value)) return value
  if (kind === 'boolean') return /^(true|1)$/i.test(value) ? 'true' : 'false'
  if (kind === 'json' && isJson(value)) return value
  return JSON.stringify(value) // NaN, inf and text.
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // `undefined` inside a VARIANT, for one.
  }
}

/** Two columns of one name would be one member: the later ones get a number. */
function uniqueNames(columns: readonly Column[]): readonly string[] {
  const taken = new Set<string>()
  return columns.map(({ name }) => {
    let unique = name
    for (let count = 2; taken.has(unique); count++) unique = `${name}_${count}`
    taken.add(unique)
    return unique
  })
}
