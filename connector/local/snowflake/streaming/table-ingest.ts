// All channels of one table: takes their rows, and turns everything that waits into one Iceberg commit at a
// time. Opens, drops, schema changes and commits take turns; appends do not wait for any of them.
import type { Clock } from '../../../api/clock.ts'
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'
import {
  type Commit,
  type IcebergTable,
  RowRejectedError,
  UnconfirmedCommitError,
  type Warehouse,
} from '../../iceberg/types.ts'
import { ApiError, unavailable } from '../errors.ts'
import { tableName } from '../identifiers.ts'
import { RowChecker } from '../rows/row-checker.ts'
import { type ByteBudget, RateLimit } from './byte-budget.ts'
import { type Channel, hasUncommitted, noSuchChannel, staleToken } from './channel.ts'
import { ChannelOpens, type OpenOptions } from './channel-opens.ts'
import {
  type ChannelWork,
  type CheckedWork,
  checkWork,
  encodePipe,
  errorEntries,
  planCommit,
} from './commit-plan.ts'
import type { ErrorLog } from './error-log.ts'
import type { PipeChannels } from './pipe-channels.ts'
import { checkEvolving, evolves } from './evolution.ts'
import { allRejected, withoutRejectedRows } from './rejected-rows.ts'
import { Turn } from './turn.ts'

export interface IngestContext {
  readonly warehouse: Warehouse
  readonly clock: Clock
  readonly log: PluginLogger
  readonly errorLog: ErrorLog
  /** What all tables together may hold uncommitted. */
  readonly budget: ByteBudget
  /** What one table may. */
  readonly tableBudget: () => ByteBudget
  /** Per channel; absent: any rate. */
  readonly limits:
    | { readonly requestsPerSecond: number; readonly bytesPerSecond: number }
    | undefined
  /** Called in each commit before anything is written; a fault may hold it. */
  readonly beforeCommit: (table: string) => Promise<void>
}

export interface AppendOptions {
  readonly continuationToken: string
  readonly startToken: string | null
  readonly endToken: string | null
  readonly bytes: Uint8Array
}

const tooMuch = (): ApiError =>
  new ApiError(
    429,
    'ERR_TOO_MANY_UNCOMMITTED_BYTES',
    'Too many uncommitted bytes wait for this table. Please send the same request again later.',
    { headers: { 'retry-after': '1' } },
  )

function refusedToken(verdict: 'stale' | 'future' | 'foreign', name: string): ApiError {
  if (verdict === 'stale') return staleToken()
  return verdict === 'future'
    ? new ApiError(
        400,
        'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
        `The continuation token of channel ${name} skips an append. Please reopen the channel`,
      )
    : new ApiError(
        400,
        'ERR_INVALID_CONTINUATION_TOKEN',
        `The continuation token is none of channel ${name}.`,
      )
}

/** See the head of this file. `onPending` is called whenever rows begin to wait. */
export class TableIngest {
  readonly table: IcebergTable
  readonly #context: IngestContext
  readonly #pipes = new Map<string, PipeChannels>()
  readonly #turn = new Turn()
  readonly #budget: ByteBudget
  readonly #opens: ChannelOpens
  #checker: { schemaId: number; checker: RowChecker } | undefined
  onPending: () => void = () => undefined
  /** Why the last commit failed, while rows wait for the next try; more rows are not taken then. */
  trouble: unknown

  constructor(table: IcebergTable, context: IngestContext) {
    this.table = table
    this.#context = context
    this.#budget = context.tableBudget()
    this.#opens = new ChannelOpens({
      clock: context.clock,
      turn: this.#turn,
      discard: (channel) => this.#discard(channel),
      store: (pipes) => this.#storeChannels(pipes),
    })
  }

  /** The pipe's channels; `make` is called when this process meets the pipe for the first time. */
  pipe(name: string, make: () => PipeChannels): PipeChannels {
    const known = this.#pipes.get(name)
    if (known !== undefined) return known
    const made = make()
    this.#pipes.set(name, made)
    return made
  }

  /** A pipe that was dropped: its channels are gone. */
  forgetPipe(name: string): void {
    const pipe = this.#pipes.get(name)
    if (pipe === undefined) return
    for (const channel of pipe.all()) {
      this.#discard(channel)
      channel.close()
    }
    this.#pipes.delete(name)
  }

  /** See `ChannelOpens.open`. */
  open(pipe: PipeChannels, name: string, options: OpenOptions): Promise<Channel> {
    return this.#opens.open(pipe, name, options)
  }

  #storeChannels(pipes: readonly PipeChannels[]): Promise<unknown> {
    return this.table.commit({
      properties: Object.fromEntries(
        pipes.map((pipe) => [pipe.property, encodePipe(pipe, new Map())]),
      ),
    })
  }

  #discard(channel: Channel): void {
    for (const batch of channel.pending) this.#release(batch.bytes)
    channel.pending = []
  }

  /** Says that `bytes` more would be too many before anybody unpacks them. @throws ApiError 429. */
  expectRoom(bytes: number): void {
    if (!this.#budget.hasRoom(bytes) || !this.#context.budget.hasRoom(bytes)) throw tooMuch()
  }

  #release(bytes: Uint8Array): void {
    this.#budget.give(bytes.byteLength)
    this.#context.budget.give(bytes.byteLength)
  }

  #take(bytes: Uint8Array): void {
    if (!this.#budget.take(bytes.byteLength)) throw tooMuch()
    if (this.#context.budget.take(bytes.byteLength)) return
    this.#budget.give(bytes.byteLength)
    throw tooMuch()
  }

  /**
   * Accepts rows and returns the next continuation token. The token of the last append gives the one that was
   * issued then, and the rows are not taken again; an older one is refused as stale.
   * @throws ApiError 400 for a token that is not the channel's next or last, 404 without the channel, 429.
   */
  append(pipe: PipeChannels, name: string, options: AppendOptions): string {
    const channel = pipe.get(name)
    if (channel === undefined) throw noSuchChannel(name)
    this.#pace(channel, options.bytes.byteLength)
    const verdict = channel.judge(options.continuationToken)
    if (verdict === 'future') channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'
    if (verdict === 'accept') this.#accept(channel, options)
    else if (verdict !== 'repeat') throw refusedToken(verdict, name)
    return channel.nextToken()
  }

  /**
   * The token that was issued when the append with this one was taken, or undefined when it is still to come: for
   * callers to whom its rows cost something to get. A call that ends here counts `bytes` against the channel's rate,
   * the others do in `append`. @throws ApiError 400, 404, 429 as `append` does.
   */
  repeatOf(
    pipe: PipeChannels,
    name: string,
    { continuationToken, bytes }: { readonly continuationToken: string; readonly bytes: number },
  ): string | undefined {
    const channel = pipe.get(name)
    if (channel === undefined) throw noSuchChannel(name)
    const verdict = channel.judge(continuationToken)
    if (verdict === 'accept') return undefined
    this.#pace(channel, bytes)
    if (verdict === 'repeat') return channel.nextToken()
    if (verdict === 'future') channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'
    throw refusedToken(verdict, name)
  }

  #pace(channel: Channel, bytes: number): void {
    const { limits, clock } = this.#context
    if (limits === undefined) return
    const now = clock.now()
    channel.rates ??= {
      requests: new RateLimit(limits.requestsPerSecond, now),
      bytes: new RateLimit(limits.bytesPerSecond, now),
    }
    if (channel.rates.requests.take(1, now) && channel.rates.bytes.take(bytes, now)) return
    throw new ApiError(
      429,
      'ERR_CHANNEL_THROTTLED',
      `Channel ${channel.record.name} sends more than ${limits.requestsPerSecond} requests or ${limits.bytesPerSecond} bytes a second.`,
      { headers: { 'retry-after': '1' } },
    )
  }

  /** Accepts rows of the elastic channel: no token, no order, at least once. */
  appendElastic(pipe: PipeChannels, bytes: Uint8Array): void {
    const channel = pipe.elastic(this.#context.clock.now())
    this.#accept(channel, { continuationToken: '', startToken: null, endToken: null, bytes })
  }

  #accept(channel: Channel, { startToken, endToken, bytes }: AppendOptions): void {
    if (channel.discards) {
      channel.accept({ startToken, endToken, bytes, acceptedMs: 0 })
      return
    }
    this.#take(bytes)
    channel.accept({ startToken, endToken, bytes, acceptedMs: this.#context.clock.now() })
    this.onPending()
  }

  /** Forgets a channel with its committed token. @throws ApiError 404, 409. */
  drop(pipe: PipeChannels, name: string, failOnUncommittedRows: boolean): Promise<void> {
    return this.#turn.run(async () => {
      const channel = pipe.get(name)
      if (channel === undefined) throw noSuchChannel(name)
      if (failOnUncommittedRows && channel.hasUncommittedRows) throw hasUncommitted(name)
      this.#discard(channel)
      channel.close()
      pipe.remove(channel)
      try {
        await this.#storeChannels([pipe])
      } catch (error) {
        if (!(error instanceof UnconfirmedCommitError)) pipe.add(channel)
        throw unavailable(error)
      }
    })
  }

  /** Acceptance time of the oldest rows that wait, or undefined when none do. */
  oldestPendingMs(): number | undefined {
    let oldest: number | undefined
    for (const pipe of this.#pipes.values())
      for (const channel of pipe.all())
        for (const batch of channel.pending.slice(0, 1))
          oldest = Math.min(oldest ?? batch.acceptedMs, batch.acceptedMs)
    return oldest
  }

  /**
   * Commits everything accepted before the call. On failure the rows wait on, in their order, but for an
   * `UnconfirmedCommitError`: they are in the table then, and do not go there again.
   */
  flush(): Promise<void> {
    return this.#turn.run(() => this.#flush())
  }

  /** Flushes, then runs `work` while nothing else writes to the table. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      await this.#flush()
      return work()
    })
  }

  /** Throws away what waits for the table and runs `work`, which drops it. Every token is stale from now on. */
  dropTable<T>(work: () => Promise<T>): Promise<T> {
    this.#discardAll()
    return this.#turn.run(async () => {
      // What a commit under way gave back when it failed, and opens that were before this in the line.
      this.#discardAll()
      const result = await work()
      this.#discardAll()
      return result
    })
  }

  #discardAll(): void {
    for (const pipe of this.#pipes.values())
      for (const channel of pipe.all()) {
        this.#discard(channel)
        channel.close()
      }
  }

  async #flush(): Promise<void> {
    const work = this.#takePending()
    if (work.length === 0) return
    try {
      await this.#context.beforeCommit(tableName(this.table.identifier))
      const checked = evolves(this.table)
        ? await checkEvolving(this.table, work, this.#context.log)
        : await checkWork(work, this.#rowChecker())
      await this.#commit(checked)
    } catch (error) {
      for (const { channel } of work) {
        channel.pending = [...channel.committing, ...channel.pending]
        channel.committing = []
      }
      throw error
    }
  }

  #takePending(): readonly ChannelWork[] {
    const work: ChannelWork[] = []
    for (const pipe of this.#pipes.values())
      for (const channel of pipe.all()) {
        if (channel.pending.length === 0) continue
        work.push({ pipe, channel, batches: channel.pending })
        channel.committing = channel.pending
        channel.pending = []
      }
    return work
  }

  #rowChecker(): RowChecker {
    if (this.#checker?.schemaId !== this.table.schemaId)
      this.#checker = { schemaId: this.table.schemaId, checker: new RowChecker(this.table.schema) }
    return this.#checker.checker
  }

  /** Tries the rows, then what is left without those that the engine refuses, then none of them: it ends. */
  async #commit(checked: readonly CheckedWork[]): Promise<void> {
    try {
      await this.#commitOnce(checked)
    } catch (error) {
      if (!(error instanceof RowRejectedError)) throw error
      const fields = { table: tableName(this.table.identifier), error: toMessage(error) }
      this.#context.log.warn(
        fields,
        'The engine refused checked rows; looking for them one by one.',
      )
      const rest = await withoutRejectedRows(this.#context.warehouse, this.table, checked)
      try {
        await this.#commitOnce(rest)
      } catch (again) {
        if (!(again instanceof RowRejectedError)) throw again
        this.#context.log.error(fields, 'No good row could be told from bad ones; all are refused.')
        await this.#commitOnce(allRejected(checked))
      }
    }
  }

  async #commitOnce(checked: readonly CheckedWork[]): Promise<void> {
    const now = this.#context.clock.now()
    const plan = planCommit(checked, now)
    const unconfirmed = await this.#write(plan.commit)
    for (const [channel, record] of plan.records) channel.record = record
    for (const { channel, batches } of checked) {
      const oldest = batches[0]?.batch.acceptedMs ?? now
      const latency = this.#context.clock.now() - oldest
      channel.averageLatencyMs = Math.round((channel.averageLatencyMs + latency) / 2)
      for (const { bytes } of channel.committing) this.#release(bytes)
      channel.committing = []
    }
    await this.#context.errorLog.append(
      tableName(this.table.identifier),
      errorEntries(checked, { nowMs: now, tableUuid: this.table.uuid }),
    )
    if (unconfirmed !== undefined) throw unconfirmed
  }

  /** What is wrong with a commit that is in the table all the same, if anything; throws when it is not there. */
  async #write(commit: Commit): Promise<UnconfirmedCommitError | undefined> {
    try {
      await this.table.commit(commit)
      return undefined
    } catch (error) {
      if (error instanceof UnconfirmedCommitError) return error
      throw error
    }
  }
}
