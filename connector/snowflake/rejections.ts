// The rows of one channel that Snowflake rejected: its counters say how many, the error table which and why. Their
// records are read from Kafka once more, since none is kept once it is a row, and go to the dead-letter queue.
import { ConnectError, DataError, RetriableError, toMessage } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import { type FindRejected, REJECTED_MAX, type RejectedRow } from './error-table.ts'

export interface RejectionsOptions {
  /** The partition, for messages. */
  readonly where: string
  readonly channel: string
  readonly tolerance: 'none' | 'all'
  readonly find: FindRejected | undefined
  /** Whether records can be reported: else they are only named. */
  readonly canReport: () => boolean
  /** The group's position; undefined: none, or not known. */
  readonly groupOffset: (signal: AbortSignal) => Promise<number | undefined>
  readonly log: PluginLogger
}

/** The counters may be ahead of the error table for a moment: so many looks in all, this long after one another. */
const LOOKS_MAX = 5
export const LOOK_AGAIN_MS = 1_000
/** How many rows an error or a line of the log names. */
const NAMED_MAX = 5

/** Snowflake has rejected the record's row. */
export class RejectedRowError extends DataError {}

/** What a look has found. */
export type Look =
  /** Not all of them are there yet. */
  | 'again'
  /** Records are to be read again, from `first` on. */
  | 'replay'
  /** There is nothing to be done. */
  | 'done'

export class Rejections {
  readonly #o: RejectionsOptions
  /** Rows whose offsets are not known yet. */
  #rows = 0
  #from = 0
  #text = ''
  #looks = 0
  /** By offset: to be reported when their records come again. */
  readonly #found = new Map<number, DataError>()
  /** Offsets that an earlier look has named, at or beyond the first that is in doubt. */
  #named = new Set<number>()
  #wasOpened = false
  /** Rows up to this offset may have been rejected and never reported; undefined: none. */
  #suspectsBefore: number | undefined
  /** Up to here everything is in the table already, or rejected. */
  #through = -1

  constructor(options: RejectionsOptions) {
    this.#o = options
  }

  /** `rows` more were rejected at or after offset `from`; `text` is what to say when no more can be found out. */
  noted(rows: number, from: number, text: string): void {
    this.#from = this.#rows === 0 ? from : Math.min(from, this.#from)
    this.#rows += rows
    this.#text = text
    this.#looks = 0
    this.#named = new Set([...this.#named].filter((offset) => offset >= this.#from))
  }

  /** There are rows to look for, or there may be. */
  get isPending(): boolean {
    return this.#rows > 0 || this.#suspectsBefore !== undefined
  }
  /** The first offset whose record must be reported still; Kafka's position stays before it. */
  get first(): number | undefined {
    return this.#found.size === 0 ? undefined : Math.min(...this.#found.keys())
  }

  /** Another topic of that name: offsets of the former one mean nothing. */
  forget(): void {
    this.#rows = 0
    this.#found.clear()
    this.#named.clear()
  }

  /** Looks once. @throws ConnectError naming the rows where they are not tolerated. */
  async look(topicId: string | undefined, signal: AbortSignal): Promise<Look> {
    this.#looks++
    const before = this.#suspectsBefore
    if (before !== undefined) {
      // Kafka's position stays before what is not reported.
      const next = await this.#o.groupOffset(signal)
      this.#suspectsBefore = undefined
      if (next !== undefined && next <= before)
        this.#from = Math.min(next, this.#rows > 0 ? this.#from : next)
      else if (this.#rows === 0) return 'done'
    }
    const { channel, find, log } = this.#o
    let rows: readonly RejectedRow[] = []
    try {
      const all =
        (await find?.({ channel, topicId, from: this.#from, skip: this.#named.size }, signal)) ?? []
      rows = all.filter(({ offset }) => !this.#named.has(offset))
    } catch (error) {
      if (signal.aborted) throw error
      log.warn({ channel, err: error }, 'The error table cannot be read.')
      const mayCome = error instanceof RetriableError && this.#looks < LOOKS_MAX
      return mayCome ? 'again' : this.#conclude([])
    }
    const isMore = rows.length === REJECTED_MAX
    if (find !== undefined && !isMore && rows.length < this.#rows && this.#looks < LOOKS_MAX)
      return 'again'
    return this.#conclude(rows)
  }

  #conclude(rows: readonly RejectedRow[]): Look {
    const { where, tolerance, canReport, log, channel } = this.#o
    if (this.#rows + rows.length === 0) return 'done'
    this.#rows = Math.max(this.#rows, rows.length)
    const missing = Math.max(0, this.#rows - rows.length)
    const named = rows.slice(0, NAMED_MAX).map(({ offset, message }) => `${offset}: ${message}`)
    const rest = this.#rows > named.length ? `; and ${this.#rows - named.length} more` : ''
    const text =
      named.length === 0
        ? this.#text
        : `Snowflake rejected ${this.#rows} rows of ${where}, offset ${named.join('; offset ')}${rest}`
    // Those that were too many for one look are looked for after these.
    this.#rows = rows.length === REJECTED_MAX ? missing : 0
    this.#looks = 0
    for (const { offset } of rows) this.#named.add(offset)
    if (tolerance === 'none') throw new ConnectError(text)
    log.warn({ channel, missing }, `${text}.`)
    if (rows.length === 0 || !canReport()) return 'done'
    for (const { offset, message } of rows) {
      const why = `Snowflake rejected the row of ${where} offset ${offset}: ${message}`
      this.#found.set(offset, new RejectedRowError(why))
    }
    return 'replay'
  }

  /**
   * The channel stands at `offset`. `hasErrors`: Snowflake has rejected rows of it at some time; the first time that
   * may have been in an earlier process, which ended before it could report them.
   */
  opened(offset: number, hasErrors: boolean): void {
    this.begin(offset)
    const { tolerance, canReport, find } = this.#o
    const mayLook = tolerance === 'all' && find !== undefined && canReport()
    if (!this.#wasOpened && hasErrors && mayLook) this.#suspectsBefore = offset
    this.#wasOpened = true
  }

  /** Records up to `offset` are in the table already, or rejected: they come again only to be reported. */
  begin(offset: number): void {
    this.#through = offset
  }

  /** Of a record that comes: an error to report it with, `done` when it must not become a row, else undefined. */
  verdict(offset: number): DataError | 'done' | undefined {
    this.#passOver(offset)
    return this.#found.get(offset) ?? (offset <= this.#through ? 'done' : undefined)
  }

  /** Records before `offset` will not come any more: deleted from the log, or dropped by a transformation. */
  #passOver(offset: number): void {
    for (const [gone, error] of this.#found) {
      if (gone >= offset) continue
      this.#found.delete(gone)
      this.#o.log.warn(
        { channel: this.#o.channel, offset: gone },
        `A rejected record is not in Kafka any more: ${toMessage(error)}.`,
      )
    }
  }

  /** The record at `offset` was reported. */
  reported(offset: number): void {
    this.#found.delete(offset)
  }
}
