// One partition's way into one Snowpipe channel. Nothing here waits: `advance` starts the one operation that the state
// asks for, its answer moves the state, and the worker's next call goes on. Late answers carry an old epoch and are dropped.
import { ConnectError, DataError, NotFoundError, RetriableError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import type { TopicPartition } from '../api/topic-partition.ts'
import { Account } from './account.ts'
import { AppendQueue } from './append-queue.ts'
import { backoffMs } from './backoff.ts'
import {
  CHANNEL_TRANSITIONS,
  type ChannelEvent,
  type ChannelState,
  isOpen,
  isSettling,
} from './channel-state.ts'
import type { ChannelOptions } from './channel-options.ts'
import type { ChannelStatus, OpenedChannel, PipeName } from './client.ts'
import { isMissingObject, SnowpipeError } from './errors.ts'
import { MetadataWriter } from './metadata.ts'
import { formatToken } from './offset-token.ts'
import { Operations } from './operations.ts'
import { findStart } from './position.ts'
import { Reading } from './reading.ts'
import { RecordBuffer } from './record-buffer.ts'
import type { RecordShape } from './record-shape.ts'
import { LOOK_AGAIN_MS, Rejections } from './rejections.ts'
import { RowEncoder } from './row-encoder.ts'

/** Reopenings that follow each other at once; later ones wait. */
const REOPEN_AT_ONCE = 1
const UNCOMMITTED_POLL_MS = 500

export class Channel {
  readonly tp: TopicPartition
  readonly name: string
  readonly pipe: PipeName
  readonly #o: ChannelOptions
  readonly #where: string
  readonly #operations: Operations
  readonly #buffer: RecordBuffer
  readonly #queue: AppendQueue
  readonly #rejections: Rejections
  readonly #account: Account
  readonly #leaveTable: () => void
  /** From where the partition is read. */
  readonly reading: Reading
  #state: ChannelState = 'IDENTIFYING'
  #failure: Error | undefined

  #topicId: string | undefined
  #opened: OpenedChannel | undefined
  #encoder: RowEncoder | undefined
  #continuationToken = ''
  #opensByForce = false
  #isTableEnsured = false
  #reopens = 0

  constructor(options: ChannelOptions) {
    this.#o = options
    this.tp = options.tp
    this.#where = `${this.tp.topic}-${this.tp.partition}`
    this.name = options.name
    this.pipe = options.pipe
    const { tp, name, clock, random, signal, settings, log, metrics } = options
    const { backoffMaxMs, tolerance, stallMs } = settings
    this.#operations = new Operations({ clock, random, signal, backoffMaxMs })
    const { findRejected: find, canReport } = options
    const where = this.#where
    const groupOffset = (of: AbortSignal) => options.kafka.committedOffset(tp, of)
    const shared = { where, tolerance, log }
    const rejections = new Rejections({ ...shared, channel: name, find, canReport, groupOffset })
    this.#rejections = rejections
    this.#account = new Account({ ...shared, tp, name, stallMs, clock, metrics, rejections })
    this.#buffer = new RecordBuffer(settings, options.onBadRecord, this.#rejections)
    this.#queue = new AppendQueue(options)
    this.#leaveTable = options.table.join(this)
    this.reading = new Reading(settings.bufferBytesMax)
  }

  get state(): ChannelState {
    return this.#state
  }
  get failure(): Error | undefined {
    return this.#failure
  }
  /** Counts the channel's lives: a status that was asked for in an earlier one says nothing about this one. */
  get epoch(): number {
    return this.#operations.epoch
  }
  /** What an operator should look at; undefined: nothing. */
  get problem(): string | undefined {
    return this.#operations.trouble ?? this.#account.problem
  }
  /** Records that were taken in and are not committed yet; at least 1 while that cannot be known. */
  get uncommitted(): number {
    const known = this.#buffer.size + this.#queue.rows + this.uncommittedRows
    return Math.max(known, this.reading.isBehind ? 1 : 0)
  }
  /** Rows that Snowflake has accepted and not committed yet. */
  get uncommittedRows(): number {
    return this.#account.uncommittedRows
  }
  /** What may be committed to Kafka: the offset after the last one that needs no reading again; undefined: nothing. */
  get safeOffset(): number | undefined {
    const { committed } = this.#account
    // Records that became no row (tombstones, reported ones) are done with when nothing before them is open.
    const done = this.isQuiet && this.#buffer.isSettled ? this.#buffer.processed : -1
    const safe = Math.max(committed ?? -1, done) + 1
    const limit = Math.min(safe, this.#rejections.first ?? safe)
    return limit <= 0 ? undefined : limit
  }

  /** Every row that was made is committed, or will be made again. */
  get isQuiet(): boolean {
    const rows = this.#queue.rows + this.#buffer.rows + this.uncommittedRows
    return rows === 0 && !isSettling(this.#state)
  }

  deliver(record: SinkRecord): void {
    if (this.reading.wants(record.originalKafkaOffset)) this.#buffer.push(record)
  }

  /** Whether to pause or resume the partition now; undefined: it is as it should be. */
  flowChange(): 'pause' | 'resume' | undefined {
    const { bytes, isStuck } = this.#buffer
    return this.reading.flowChange(bytes + this.#queue.bytes, isStuck)
  }

  /** Starts what can be started. `isUrgent`: rows do not wait for others. */
  advance(isUrgent = false): void {
    try {
      this.#fill()
      if (this.#buffer.failure !== undefined) throw this.#buffer.failure
      if (this.#operations.canStart) this.#steps[this.#state]?.(isUrgent)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Ends the channel on our side. Snowflake keeps it, and its position, for the next owner. */
  close(): void {
    this.#leaveTable()
    this.#move('closed')
    this.#renew()
  }

  readonly #steps: Record<ChannelState, ((isUrgent: boolean) => void) | null> = {
    IDENTIFYING: () => this.#identify(),
    OPENING: () => this.#open(),
    TABLELESS: () => this.#prepareTable(this.#buffer.nextShape()),
    POSITIONING: () => this.#position(),
    READY: (isUrgent) => this.#startWork(isUrgent),
    EVOLVING: (isUrgent) => this.#evolve(isUrgent),
    INSPECTING: () => this.#inspect(),
    APPENDING: () => this.#send(),
    FAILED: null,
    CLOSED: null,
  }

  #identify(): void {
    this.#run(
      (signal) => this.#o.kafka.describeTopic(this.tp.topic, signal),
      ({ topicId }) => {
        this.#topicId = topicId
        this.#move('identified')
      },
    )
  }

  #open(): void {
    const attempt = { id: this.#o.requestId(), retries: this.#operations.failures }
    const request = { failOnUncommittedRows: !this.#opensByForce, attempt }
    this.#run(
      (signal) => this.#o.client.open(this.pipe, this.name, { ...request, signal }),
      (opened) => {
        this.#opensByForce = false
        this.#opened = opened
        this.#continuationToken = opened.continuationToken
        const { code } = opened.status
        if (code === 'SUCCESS') this.#move('opened')
        else this.#invalidate(`was opened with status ${code}`)
      },
    )
  }

  #position(): void {
    const { settings, kafka, log } = this.#o
    const question = {
      channel: this.name,
      tp: this.tp,
      token: this.#opened?.status.committedToken ?? null,
      topicId: this.#topicId,
      policy: settings.recreated,
      replayFrom: this.#rejections.first,
    }
    this.#run(
      (signal) => findStart({ ...question, logBounds: (tp) => kafka.logBounds(tp, signal) }),
      ({ seekTo, committed, warning }) => {
        if (warning !== undefined) log.warn({ channel: this.name }, warning)
        this.#positioned(seekTo, committed)
      },
    )
  }

  /** Without a stored position Kafka is read from where the group stands, or again from where this assignment began. */
  #positioned(seekTo: number | undefined, committed: number | undefined): void {
    const { table, log } = this.#o
    const opened = (this.#opened as OpenedChannel).status
    const topicId = this.#topicId
    this.#account.begin(opened, topicId, committed)
    this.#encoder = new RowEncoder(
      table,
      new MetadataWriter(this.tp.topic, this.tp.partition, topicId),
    )
    if (committed === undefined) this.#rejections.forget()
    this.#rejections.opened(committed ?? -1, opened.rowsError > 0)
    if (seekTo !== undefined || !this.reading.isAccepting) {
      this.#buffer.clear()
      this.reading.beginAt(seekTo)
    }
    log.info(
      { channel: this.name, pipe: this.pipe.pipe, committed, readFrom: this.reading.seekTo },
      'Channel is open.',
    )
    this.#move('positioned')
    this.observe(opened, this.epoch)
  }

  #prepareTable(shape: RecordShape | undefined): void {
    if (shape === undefined) return
    this.#run(
      (signal) => this.#o.table.prepare(shape, signal),
      () => {
        this.#isTableEnsured = true
        this.#move('tableReady')
      },
    )
  }

  #evolve(isUrgent: boolean): void {
    // Another task may have changed the table in the meantime; then rows go on.
    this.#prepareTable(this.#buffer.blockedBy)
    if (this.#buffer.blockedBy !== undefined) return
    this.#move('tableReady')
    this.#startWork(isUrgent)
  }

  #fill(): void {
    const hasRoom = this.#queue.bytes < this.#o.settings.bufferBytesMax
    const { isHeld } = this.#o.table
    if (this.#encoder === undefined || !isOpen(this.#state) || !hasRoom || isHeld) return
    this.#buffer.fill(this.#encoder, this.#o.clock.now())
  }

  /** Rows first; a table is changed only when everything before is committed. */
  #startWork(isUrgent: boolean): void {
    const { clock, table } = this.#o
    if (this.#rejections.isPending) {
      this.#move('inspectionStarted')
      this.#inspect()
      return
    }
    if (!this.#queue.isFull) {
      const batch = this.#buffer.seal(clock.now(), isUrgent || table.isHeld)
      if (batch !== undefined) {
        this.#queue.push(batch, () => this.#buffer.recycle(batch))
        this.#fill()
      }
    }
    if (this.#queue.canSend(clock.now())) {
      this.#move('appendStarted')
      this.#send()
      return
    }
    if (this.#buffer.blockedBy !== undefined && this.isQuiet) {
      this.#move('evolutionStarted')
      this.#prepareTable(this.#buffer.blockedBy)
    }
  }

  /** Nothing is in flight. What is rejected is read again to be reported; what waits to be sent comes again after it. */
  #inspect(): void {
    const { kafka } = this.#o
    this.#run(
      async (signal) => {
        const log = await kafka.logBounds(this.tp, signal)
        const look = await this.#rejections.look(this.#topicId, signal)
        return { look, from: Math.max(this.#rejections.first ?? 0, log.beginning) }
      },
      ({ look, from }) => {
        if (look === 'again') this.#operations.delay(LOOK_AGAIN_MS)
        else this.#move('inspected')
        if (look !== 'replay') return
        this.#rejections.begin(this.#account.appended)
        this.#buffer.clear()
        this.#queue.clear()
        this.reading.beginAt(from)
      },
    )
  }

  #send(): void {
    const token = (offset: number): string => formatToken({ topicId: this.#topicId, offset })
    const startedMs = this.#o.clock.now()
    this.#run(
      (signal) => this.#queue.send({ continuationToken: this.#continuationToken, token, signal }),
      (next) => {
        const batch = this.#queue.sent()
        const now = this.#o.clock.now()
        this.#continuationToken = next
        this.#account.accepted(batch)
        this.#o.metrics.appended(batch, now - startedMs)
        this.#move('accepted')
      },
    )
  }

  /** What a status poll found, asked in `epoch`. Undefined: Snowflake does not know the channel. */
  observe(status: ChannelStatus | undefined, epoch: number): void {
    if (epoch !== this.epoch || !isOpen(this.#state)) return
    const seen = this.#account.observe(status, (offset) => this.#queue.covers(offset))
    if (seen?.kind === 'invalid') this.#invalidate(seen.reason)
    else if (seen?.kind === 'stalled') this.#invalidateWithoutBlame(seen.reason)
    else if (seen?.kind === 'failed') this.#fail(seen.error)
    else if (seen?.hasProgressed === true) this.#reopens = 0
  }

  /** All that is not committed is forgotten and read from Kafka again after the channel is open. */
  #invalidate(reason: string): void {
    if (CHANNEL_TRANSITIONS[this.#state].invalidated === null) return
    const { settings, random, log, metrics } = this.#o
    this.#reopens++
    metrics.reopened()
    if (this.#reopens > settings.reopenMax) {
      this.#fail(
        new ConnectError(
          `Channel ${this.name} ${reason}; it was opened ${settings.reopenMax} times without a commit in between`,
        ),
      )
      return
    }
    log.warn({ channel: this.name, reopens: this.#reopens }, `Channel ${this.name} ${reason}.`)
    this.#move('invalidated')
    this.#renew()
    this.reading.stop()
    if (this.#reopens > REOPEN_AT_ONCE) {
      this.#operations.delay(backoffMs(this.#reopens, { random, maxMs: settings.backoffMaxMs }))
    }
  }

  /** The channel must be opened again for a reason that is not its own, e.g. a frozen commit or a pipe that has moved. */
  abandon(reason: string): void {
    if (isOpen(this.#state)) this.#invalidateWithoutBlame(reason)
  }

  /** Does not count towards `reopen.max`. */
  #invalidateWithoutBlame(reason: string): void {
    this.#reopens = Math.max(0, this.#reopens - 1)
    this.#invalidate(reason)
  }

  #renew(): void {
    this.#operations.renew()
    this.#account.end(this.#queue.inFlight)
    this.#buffer.clear()
    this.#queue.clear()
    this.#encoder = undefined
  }

  #move(event: ChannelEvent): void {
    const next = CHANNEL_TRANSITIONS[this.#state][event]
    if (next === null) return
    this.#state = next
    this.#o.metrics.state(this.tp, next)
  }

  #fail(error: unknown): void {
    if (CHANNEL_TRANSITIONS[this.#state].failed === null) return
    this.#move('failed')
    this.#renew()
    this.#failure = error instanceof Error ? error : new Error(String(error))
  }

  #run<T>(operation: (signal: AbortSignal) => Promise<T>, done: (result: T) => void): void {
    this.#operations.run(
      operation,
      (result) => {
        done(result)
        this.advance()
      },
      (error) => this.#react(error),
    )
  }

  #react(error: unknown): void {
    if (error instanceof SnowpipeError) this.#reactTo(error)
    // Kafka may be slow to know a topic that was just made.
    else if (error instanceof NotFoundError) this.#retryOrFail(error)
    else if (error instanceof RetriableError) this.#retry(error, error.retryAfterMs)
    else this.#fail(error)
  }

  #reactTo(error: SnowpipeError): void {
    const needsTable = isMissingObject(error) && this.#o.table.mayCreate && !this.#isTableEnsured
    if (error.reaction === 'retry') this.#retry(error, error.retryAfterMs)
    else if (error.reaction === 'fail') this.#fail(error)
    else if (error.reaction === 'reopen') this.#invalidate(`was refused: ${error.message}`)
    else if (error.reaction === 'rediscover') this.#moved(error)
    else if (error.reaction === 'uncommitted') this.#awaitOtherWriter(error)
    else if (error.reaction === 'split') this.#split(error)
    else if (needsTable) this.#tableMissing()
    else this.#retryOrFail(error, error.retryAfterMs)
  }

  /** What is missing may come; not for ever. */
  #retryOrFail(error: Error, floorMs?: number): void {
    if (this.#operations.troubleMs >= this.#o.settings.missingTimeoutMs) this.#fail(error)
    else this.#retry(error, floorMs)
  }

  /** There is no table, so there is no position either: records show what to make. */
  #tableMissing(): void {
    this.#operations.answered()
    this.#o.table.forget()
    this.#move('tableMissing')
    if (!this.reading.isAccepting) this.reading.beginAt(undefined)
    this.advance()
  }

  #moved(error: SnowpipeError): void {
    if (isOpen(this.#state)) this.abandon('has moved to another host')
    this.#retry(error, error.retryAfterMs)
  }

  #awaitOtherWriter(error: SnowpipeError): void {
    if (this.#operations.troubleMs >= this.#o.settings.uncommittedTimeoutMs)
      this.#opensByForce = true
    this.#retry(error, UNCOMMITTED_POLL_MS)
  }

  #split(error: SnowpipeError): void {
    if (this.#queue.split()) {
      this.advance()
      return
    }
    const offset = this.#queue.firstOffset
    const message = `The record at offset ${offset} of ${this.#where} makes a row that is too large for a request`
    // Records are not kept once they are rows: it is read once more, to be reported.
    this.#buffer.refuse(offset, new DataError(message, { cause: error }))
    this.#buffer.clear()
    this.#queue.clear()
    this.reading.beginAt(offset)
    this.#move('accepted')
  }

  #retry(error: Error, floorMs: number | undefined): void {
    const waitMs = this.#operations.retryLater(this.#where, error, floorMs)
    const { failures, trouble } = this.#operations
    const fields = { channel: this.name, state: this.#state, failures, waitMs, err: error }
    const text = `Will try again: ${trouble ?? error.message}.`
    // Said once when it is more than a hiccup; the task's health goes on showing it.
    this.#o.log[failures === 2 ? 'warn' : 'debug'](fields, text)
  }
}
