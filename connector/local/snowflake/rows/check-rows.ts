import { isUtf8 } from 'node:buffer'
import type { RowChecker } from './row-checker.ts'
import { RowError } from './row-error.ts'

/** A row that was refused, as the error log keeps it. */
export interface RefusedRow {
  /** Position among the rows of its request, from 0. */
  readonly index: number
  readonly message: string
  /** Snowflake's number of the error, where it is known. */
  readonly code?: number | undefined
  readonly line: Uint8Array
}

export interface CheckedRows {
  /** The good rows, each piece ending with a newline. */
  readonly pieces: readonly Uint8Array[]
  readonly rows: number
  /** All rows that were there, good and bad; blank lines are none. */
  readonly parsed: number
  readonly errors: number
  /** The first bad rows, at most `REFUSED_KEPT_MAX`. */
  readonly refused: readonly RefusedRow[]
  readonly lastMessage: string | undefined
}

/** Views of the request's own bytes, so this bounds little but their number. */
const REFUSED_KEPT_MAX = 10_000
const LINES_PER_SLICE = 1_000
const NEWLINE = 0x0a
const LINE_END = Uint8Array.of(NEWLINE)

/**
 * Checks the NDJSON of one request. Runs of good rows are passed on as the bytes that came; `pause` is awaited
 * now and then, so that other requests are served meanwhile.
 */
export async function checkRows(
  bytes: Uint8Array,
  checker: RowChecker,
  pause: () => Promise<void>,
): Promise<CheckedRows> {
  const sorter = new Sorter(bytes, checker)
  while (sorter.slice()) await pause()
  return sorter.result()
}

class Sorter {
  readonly #bytes: Buffer
  readonly #checker: RowChecker
  readonly #isUtf8: boolean
  readonly #pieces: Uint8Array[] = []
  readonly #refused: RefusedRow[] = []
  #at = 0
  /** Where the present run of unchanged rows begins; -1 between runs. */
  #runStart = -1
  #rows = 0
  #errors = 0
  #lastMessage: string | undefined

  constructor(bytes: Uint8Array, checker: RowChecker) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#checker = checker
    this.#isUtf8 = isUtf8(bytes)
  }

  /** True while there is more. */
  slice(): boolean {
    for (let count = 0; count < LINES_PER_SLICE && this.#at < this.#bytes.length; count++) {
      const newline = this.#bytes.indexOf(NEWLINE, this.#at)
      const end = newline === -1 ? this.#bytes.length : newline
      const next = end + 1
      this.#line(this.#at, end)
      // A line without its newline cannot be part of a run: pieces are joined.
      if (newline === -1) this.#endRun(end, true)
      this.#at = next
    }
    return this.#at < this.#bytes.length
  }

  #line(start: number, end: number): void {
    const line = this.#bytes.toString('utf8', start, end)
    if (isBlank(line)) {
      this.#endRun(start)
      return
    }
    try {
      if (!this.#isUtf8 && !isUtf8(this.#bytes.subarray(start, end)))
        throw new RowError('Invalid UTF-8 detected')
      const rewritten = this.#checker.check(line)
      this.#rows++
      if (rewritten === undefined) {
        if (this.#runStart === -1) this.#runStart = start
        return
      }
      this.#endRun(start)
      this.#pieces.push(Buffer.from(`${rewritten}\n`))
    } catch (error) {
      if (!(error instanceof RowError)) throw error
      this.#endRun(start)
      this.#refuse(error, start, end)
    }
  }

  #refuse({ message, code }: RowError, start: number, end: number): void {
    if (this.#refused.length < REFUSED_KEPT_MAX)
      this.#refused.push({
        index: this.#rows + this.#errors,
        message,
        code,
        line: this.#bytes.subarray(start, end),
      })
    this.#errors++
    this.#lastMessage = message
  }

  #endRun(end: number, needsNewline = false): void {
    if (this.#runStart === -1) return
    this.#pieces.push(this.#bytes.subarray(this.#runStart, end))
    if (needsNewline) this.#pieces.push(LINE_END)
    this.#runStart = -1
  }

  result(): CheckedRows {
    this.#endRun(this.#bytes.length)
    return {
      pieces: this.#pieces,
      rows: this.#rows,
      parsed: this.#rows + this.#errors,
      errors: this.#errors,
      refused: this.#refused,
      lastMessage: this.#lastMessage,
    }
  }
}

const isBlank = (line: string): boolean =>
  line.length < 8 ? line.trim() === '' : line.charCodeAt(0) !== 0x7b && line.trim() === ''
