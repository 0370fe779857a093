import { IllegalWorkerStateError, RetriableError } from '../api/errors.ts'
import {
  type TopicPartition,
  type TopicPartitionOffset,
  topicPartitionKey,
} from '../api/topic-partition.ts'
import type { Consumer, ConsumerMessage, RebalanceListener } from './client.ts'
import { GroupAssignment, type RebalanceEvent } from './group-assignment.ts'
import { ask, call, callNow } from './native-call.ts'
import { NativeCommits } from './native-commits.ts'
import { connectNative, notConnected } from './native-connection.ts'
import { callError, PREVIOUS_IN_PROGRESS, STATE } from './native-errors.ts'
import type { NativeLog } from './native-log.ts'
import { NativeReading } from './native-reading.ts'
import type {
  NativeConsumer,
  NativeError,
  NativeLogBounds,
  NativeTopicPartition,
} from './native.ts'
import type { PackedReader } from './packed-reader.ts'
import { TopicPattern } from './topic-pattern.ts'
import { Nap, settlesWithin } from './waiting.ts'

/** An idle consumer asks this often at least, beside being woken by librdkafka. */
const IDLE_SLEEP_MS = 100
/**
 * How long a pause of all partitions is kept from librdkafka, which would throw away what it has fetched. Until then
 * nothing is asked of it, so a change of the group is heard of this much later.
 */
const REST_MS = 1_000
const SEEK_TIMEOUT_MS = 10_000
const SEEK_RETRY_MS = 20
const CLOSE_LIMIT_MS = 20_000
const POSITION_TIMEOUT_MS = 10_000

export interface ConsumerCallbacks {
  readonly onRebalance: (event: RebalanceEvent) => void
  /** The coordinator's answer to a commit, named by what was to be committed. */
  readonly onCommit: (
    error: NativeError | undefined,
    offsets: readonly NativeTopicPartition[],
  ) => void
  /** librdkafka has something for `consume`. */
  readonly onReady: () => void
}

export interface NativeConsumerOptions {
  readonly name: string
  readonly connectTimeoutMs: number
  readonly make: (log: NativeLog, callbacks: ConsumerCallbacks) => NativeConsumer
  readonly newLog: () => NativeLog
  /** Where a partition without a committed offset starts. */
  readonly autoOffsetReset: 'earliest' | 'latest'
  /** How often a subscribed pattern looks for new topics. */
  readonly topicRefreshMs: number
  readonly errorText: (code: number) => string
  /** The fast way to read what a client gets, by librdkafka's name of it; undefined: the binding's. */
  readonly openPacked?: (clientName: string) => PackedReader | undefined
}

interface Connected {
  readonly native: NativeConsumer
  readonly log: NativeLog
  readonly group: GroupAssignment
  readonly commits: NativeCommits
  readonly reading: NativeReading
}

/** See `Consumer`. A connect that failed can be tried again. */
export class ConfluentConsumer implements Consumer {
  readonly #options: NativeConsumerOptions
  readonly #nap = new Nap()
  readonly #positions = new Map<string, number>()
  #fresh: Connected | undefined
  #connected: Connected | undefined
  #listener: RebalanceListener | undefined
  #pattern: TopicPattern | undefined
  #restingUntilMs = 0
  #polling: Promise<unknown> | undefined
  #closing: Promise<void> | undefined

  constructor(options: NativeConsumerOptions) {
    this.#options = options
    this.#fresh = this.#make() // Now, so that a wrong property is told at once.
  }

  #make(): Connected {
    const log = this.#options.newLog()
    let group: GroupAssignment | undefined
    let commits: NativeCommits | undefined
    const native = this.#options.make(log, {
      onRebalance: (event) => {
        group?.announce(event)
        this.#nap.wake()
      },
      onCommit: (error, offsets) => commits?.answered(error, offsets),
      onReady: this.#nap.wake,
    })
    native.setDefaultConsumeTimeout(0) // A wait would hold a thread of the pool that all of Node shares.
    group = new GroupAssignment(native)
    const { name, errorText } = this.#options
    commits = new NativeCommits({ name, native, group })
    const reading = new NativeReading({ name, native, log, commits, errorText })
    return { native, log, group, commits, reading }
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return
    if (this.#closing !== undefined) throw notConnected(this.#options.name)
    const fresh = this.#fresh ?? this.#make()
    this.#fresh = undefined
    const { native, log } = fresh
    await connectNative({
      client: native,
      log,
      name: this.#options.name,
      timeoutMs: this.#options.connectTimeoutMs,
      serve: () => native.consume(1, () => {}), // Nothing is assigned yet: this only lets events out.
      dispose: () => native.disconnect(() => {}),
      signal,
    })
    if (this.#closing !== undefined) {
      native.disconnect(() => {})
      throw notConnected(this.#options.name)
    }
    fresh.reading.packed = this.#options.openPacked?.(native.name ?? '')
    this.#connected = fresh
  }

  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener): void {
    const { native } = this.#use()
    this.#listener = listener
    if (topics instanceof RegExp) {
      this.#pattern = new TopicPattern(topics, native, this.#options.topicRefreshMs)
      return
    }
    this.#pattern = undefined
    callNow(`${this.#options.name} can't subscribe`, () => native.subscribe(topics))
  }

  assign(partitions: readonly TopicPartitionOffset[]): void {
    const { group } = this.#use()
    this.#listener = undefined
    this.#pattern = undefined
    this.#positions.clear()
    for (const tp of partitions) {
      if (tp.offset >= 0) this.#positions.set(topicPartitionKey(tp), tp.offset)
    }
    const starts = partitions.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
    callNow(`${this.#options.name} can't assign`, () => group.assignManually(starts))
  }

  poll(
    options: { readonly max: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<readonly ConsumerMessage[]> {
    const polling = this.#pollAfterCommits(options, signal)
    // Not the promise itself: it would keep its messages until the next poll.
    this.#polling = polling.then(ended, ended)
    return polling
  }

  async #pollAfterCommits(
    options: { readonly max: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<readonly ConsumerMessage[]> {
    const { commits } = this.#use()
    commits.activity = 'polling'
    try {
      await commits.idle
      return await this.#poll(options, signal)
    } finally {
      commits.activity = 'idle'
    }
  }

  async #poll(
    { max, timeoutMs }: { readonly max: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<readonly ConsumerMessage[]> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const { group, log, reading } = this.#use()
      if (group.hasEvents && this.#listener !== undefined) await this.#rebalance()
      const failure = log.failure(this.#options.name)
      if (failure !== undefined) throw failure
      if (signal.aborted) return []
      await this.#pattern?.refresh(log)
      this.#nap.settle()
      if (!group.isResting || performance.now() >= this.#restingUntilMs) {
        group.applyPauses()
        const messages = await reading.take(max, this.#positions)
        if (messages.length > 0) return messages
      }
      const leftMs = deadline - performance.now()
      if (group.hasEvents && leftMs > 0) continue
      if (leftMs <= 0 || this.#closing !== undefined) return []
      await this.#nap.sleep(Math.min(IDLE_SLEEP_MS, leftMs), signal)
    }
  }

  async #rebalance(): Promise<void> {
    const listener = this.#listener
    if (listener === undefined) return
    const { commits, group } = this.#use()
    const forget = (partitions: readonly TopicPartition[]): void => {
      for (const tp of partitions) this.#positions.delete(topicPartitionKey(tp))
    }
    commits.activity = 'handling'
    try {
      await group.handleEvents({
        onAssigned: (partitions) => {
          forget(partitions)
          return listener.onAssigned(partitions)
        },
        onRevoked: async (partitions) => {
          await listener.onRevoked(partitions)
          forget(partitions)
        },
        onLost: async (partitions) => {
          await listener.onLost(partitions)
          forget(partitions)
        },
      })
    } finally {
      commits.activity = 'polling'
      await commits.idle
    }
  }

  assignment(): readonly TopicPartition[] {
    return this.#connected?.group.partitions() ?? []
  }

  async seek(position: TopicPartitionOffset): Promise<void> {
    const { native, group } = this.#use()
    const { topic, partition, offset } = position
    const state = group.stateOf(position)
    if (state === 'absent') throw notAssigned(this.#options.name, position)
    if (offset >= 0) this.#positions.set(topicPartitionKey(position), offset)
    else this.#positions.delete(topicPartitionKey(position))
    if (state === 'arriving') {
      group.startAt({ topic, partition, offset })
      return
    }
    const what = `Can't seek ${topic}/${partition} to ${offset}`
    const deadline = performance.now() + SEEK_TIMEOUT_MS
    for (;;) {
      const error = await call((done) =>
        native.seek({ topic, partition, offset }, SEEK_TIMEOUT_MS, done),
      )
      if (error === undefined) return
      // It was assigned a moment ago and its start is still being looked up.
      const isEarly = error.code === STATE || error.code === PREVIOUS_IN_PROGRESS
      if (!isEarly) throw callError(what, error)
      if (performance.now() > deadline) throw new RetriableError(what, { cause: error })
      await new Nap().sleep(SEEK_RETRY_MS, NEVER)
      this.#use()
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    const { group } = this.#use()
    this.#checkAssigned(partitions, group)
    const wasResting = group.isResting
    group.pause(partitions)
    if (!group.isResting) callNow(`${this.#options.name} can't pause`, () => group.applyPauses())
    else if (!wasResting) this.#restingUntilMs = performance.now() + REST_MS
  }

  resume(partitions: readonly TopicPartition[]): void {
    const { native, group } = this.#use()
    this.#checkAssigned(partitions, group)
    const told = plain(group.resume(partitions))
    this.#nap.wake()
    if (told.length === 0) return
    callNow(`${this.#options.name} can't resume`, () => native.resume(told))
  }

  async position(tp: TopicPartition): Promise<number> {
    const { group } = this.#use()
    const known = this.#positions.get(topicPartitionKey(tp))
    if (known !== undefined) return known
    if (group.stateOf(tp) === 'absent') throw notAssigned(this.#options.name, tp)
    const [committed] =
      this.#listener === undefined ? [] : await this.committed([tp], POSITION_TIMEOUT_MS)
    const bounds = await this.logBounds(tp, POSITION_TIMEOUT_MS)
    if (committed !== undefined && committed >= bounds.beginning && committed <= bounds.end) {
      return committed
    }
    return this.#options.autoOffsetReset === 'earliest' ? bounds.beginning : bounds.end
  }

  async commit(
    offsets: readonly TopicPartitionOffset[],
    { isAwaited }: { readonly isAwaited: boolean } = { isAwaited: false },
  ): Promise<void> {
    const { commits } = this.#use()
    if (offsets.length > 0) await commits.commit(offsets, isAwaited)
  }

  async committed(
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<readonly (number | undefined)[]> {
    const { native } = this.#use()
    if (partitions.length === 0) return []
    const what = `${this.#options.name} can't read its committed offsets`
    const found = await ask<readonly (NativeTopicPartition | Error)[]>(what, (done) =>
      native.committed(plain(partitions), timeoutMs, done),
    )
    const offsets = new Map<string, number | undefined>()
    for (const element of found) {
      if (element instanceof Error) throw new RetriableError(what, { cause: element })
      offsets.set(topicPartitionKey(element), element.offset)
    }
    return partitions.map((tp) => offsets.get(topicPartitionKey(tp)))
  }

  async logBounds(
    tp: TopicPartition,
    timeoutMs: number,
  ): Promise<{ readonly beginning: number; readonly end: number }> {
    const { native } = this.#use()
    const what = `Can't read the log's ends of ${topicPartitionKey(tp)}`
    const ends = await ask<NativeLogBounds>(what, (done) =>
      native.queryWatermarkOffsets(tp.topic, tp.partition, timeoutMs, done),
    )
    return { beginning: ends.lowOffset, end: ends.highOffset }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#nap.wake()
    if (this.#polling !== undefined) await settlesWithin(this.#polling, CLOSE_LIMIT_MS)
    const connected = this.#connected
    if (connected === undefined) return
    const { commits, native, log, group } = connected
    commits.activity = 'handling'
    // An announcement may be on its way from librdkafka's thread; it needs its answer before the close.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      await group.leave(this.#listener)
    } catch (error) {
      log.warn(`${this.#options.name}: the listener failed while it was closed: ${String(error)}.`)
    }
    commits.activity = 'polling' // Nothing is asked of it any more.
    await commits.idle
    this.#connected = undefined
    const disconnected = new Promise<void>((resolve) => native.disconnect(() => resolve()))
    if (!(await settlesWithin(disconnected, CLOSE_LIMIT_MS))) {
      log.warn(`${this.#options.name} took too long to leave its group and is left behind.`)
    }
  }

  #use(): Connected {
    if (this.#connected === undefined) throw notConnected(this.#options.name)
    return this.#connected
  }

  #checkAssigned(partitions: readonly TopicPartition[], group: GroupAssignment): void {
    for (const tp of partitions) {
      if (group.stateOf(tp) === 'absent') throw notAssigned(this.#options.name, tp)
    }
  }
}

const ended = (): void => undefined

const NEVER = new AbortController().signal

const plain = (partitions: readonly TopicPartition[]): NativeTopicPartition[] =>
  partitions.map(({ topic, partition }) => ({ topic, partition }))

const notAssigned = (name: string, tp: TopicPartition): IllegalWorkerStateError =>
  new IllegalWorkerStateError(`${topicPartitionKey(tp)} is not assigned to ${name}.`)
