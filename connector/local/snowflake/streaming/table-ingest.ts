// All channels of one table: takes their rows, and turns everything that waits into one Iceberg commit at a
// time. Opens, drops, schema changes and commits take turns; appends do not wait for any of them.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../api/clock.ts'
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'
import { type IcebergTable, RowRejectedError, type Warehouse } from '../../iceberg/types.ts'
import { ApiError } from '../errors.ts'
import { tableName } from '../identifiers.ts'
import { RowChecker } from '../rows/row-checker.ts'
import { type ByteBudget, RateLimit } from './byte-budget.ts'
import { Channel, newRecord, noSuchChannel, staleToken } from './channel.ts'
import {
  type ChannelWork,
  type CheckedWork,
  checkWork,
  encodePipe,
  errorEntries,
  planCommit,
} from './commit-plan.ts'
import type { ErrorLog } from './error-log.ts'
import { CHANNELS_MAX, type PipeChannels } from './pipe-channels.ts'
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

export interface OpenOptions {
  readonly offsetToken: string | undefined
  readonly failOnUncommittedRows: boolean
}

export interface AppendOptions {
  readonly continuationToken: string
  readonly startToken: string | null
  readonly endToken: string | null
  readonly bytes: Uint8Array
}

interface OpenRequest {
  readonly pipe: PipeChannels
  readonly name: string
  readonly options: OpenOptions
  readonly resolve: (channel: Channel) => void
  readonly reject: (error: unknown) => void
}

const tooMuch = (): ApiError =>
  new ApiError(
    429,
    'ERR_TOO_MANY_UNCOMMITTED_BYTES',
    'Too many uncommitted bytes wait for this table. Please send the same request again later.',
    { headers: { 'retry-after': '1' } },
  )

const uncommitted = (name: string): ApiError =>
  new ApiError(
    409,
    'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
    `Channel ${name} has rows that are not committed yet.`,
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
  #opens: OpenRequest[] = []
  #checker: { schemaId: number; checker: RowChecker } | undefined
  onPending: () => void = () => undefined

  constructor(table: IcebergTable, context: IngestContext) {
    this.table = table
    this.#context = context
    this.#budget = context.tableBudget()
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

  /**
   * Opens or reopens a channel: fences its former writer, discards what it had uncommitted, and resolves once
   * the new client sequencer is stored. Opens that come together share one write.
   * @throws ApiError 409 when `failOnUncommittedRows` and there are such rows.
   */
  open(pipe: PipeChannels, name: string, options: OpenOptions): Promise<Channel> {
    if (options.failOnUncommittedRows && pipe.get(name)?.hasUncommittedRows === true)
      return Promise.reject(uncommitted(name))
    if (pipe.get(name) === undefined && pipe.all().length >= CHANNELS_MAX)
      return Promise.reject(
        new ApiError(
          400,
          'ERR_TOO_MANY_CHANNELS',
          `The pipe has ${CHANNELS_MAX} channels already.`,
        ),
      )
    return new Promise((resolve, reject) => {
      this.#opens.push({ pipe, name, options, resolve, reject })
      if (this.#opens.length === 1) void this.#turn.run(() => this.#applyOpens())
    })
  }

  async #applyOpens(): Promise<void> {
    const opens = this.#opens
    this.#opens = []
    const before = opens.map(({ pipe, name }) => pipe.get(name)?.record)
    const opened = opens.map((request) => this.#reopen(request))
    try {
      await this.#storeChannels(opens.map(({ pipe }) => pipe))
      for (const [index, { resolve }] of opens.entries()) {
        const channel = opened[index]
        if (channel !== undefined) resolve(channel)
      }
    } catch (error) {
      // Not stored, so not open: a restart would forget this fence.
      for (const [index, channel] of opened.entries()) {
        channel.close()
        channel.record = before[index] ?? newRecord(channel.record.name, channel.record.createdMs)
      }
      const refusal = unavailable(error)
      for (const { reject } of opens) reject(refusal)
    }
  }

  #reopen({ pipe, name, options }: OpenRequest): Channel {
    const known = pipe.get(name)
    const channel = known ?? new Channel(newRecord(name, this.#context.clock.now()))
    if (known === undefined) pipe.add(channel)
    this.#discard(channel)
    channel.open(randomUUID().slice(0, 8))
    if (pipe.isInvalid) channel.invalidatePipe()
    if (options.offsetToken !== undefined)
      channel.record = { ...channel.record, offsetToken: options.offsetToken }
    return channel
  }

  #storeChannels(pipes: readonly PipeChannels[]): Promise<unknown> {
    return this.table.commit({
      properties: Object.fromEntries(
        [...new Set(pipes)].map((pipe) => [pipe.property, encodePipe(pipe, new Map())]),
      ),
    })
  }

  #discard(channel: Channel): void {
    for (const batch of channel.pending) this.#release(batch.bytes)
    channel.pending = []
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
   * Accepts rows and returns the next continuation token. A token that was used already gives the token that
   * was issued then, and the rows are not taken again.
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
      if (failOnUncommittedRows && channel.hasUncommittedRows) throw uncommitted(name)
      this.#discard(channel)
      channel.close()
      pipe.remove(channel)
      try {
        await this.#storeChannels([pipe])
      } catch (error) {
        pipe.add(channel)
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

  /** Commits everything accepted before the call. On failure the rows wait on, in their order. */
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

  /** The table is gone: what waits for it is thrown away and every token is stale. */
  discardAll(): void {
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
      const checked = await checkWork(work, this.#rowChecker())
      await this.#commit(checked)
      for (const { channel, batches } of work) {
        channel.committing = []
        for (const { bytes } of batches) this.#release(bytes)
      }
    } catch (error) {
      for (const { channel, batches } of work) {
        channel.committing = []
        channel.pending = [...batches, ...channel.pending]
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
    await this.table.commit(plan.commit)
    for (const [channel, record] of plan.records) channel.record = record
    for (const { channel, batches } of checked) {
      const oldest = batches[0]?.batch.acceptedMs ?? now
      const latency = this.#context.clock.now() - oldest
      channel.averageLatencyMs = Math.round((channel.averageLatencyMs + latency) / 2)
    }
    await this.#context.errorLog.append(
      tableName(this.table.identifier),
      errorEntries(checked, now),
    )
  }
}

const unavailable = (cause: unknown): ApiError =>
  new ApiError(503, 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST', 'The table cannot be written now.', {
    cause,
  })
