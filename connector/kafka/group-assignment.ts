// What the group gives and takes. librdkafka announces a change and then waits for the answer (assign or
// unassign); announcements queue here until `poll` handles them, so that the listener never runs beside
// another call.
import type { TopicPartition } from '../api/topic-partition.ts'
import { topicPartitionKey } from '../api/topic-partition.ts'
import type { RebalanceListener } from './client.ts'
import { ASSIGN_PARTITIONS, REVOKE_PARTITIONS } from './native-errors.ts'
import type { NativeConsumer, NativeTopicPartition } from './native.ts'

export interface RebalanceEvent {
  /** ASSIGN_PARTITIONS, REVOKE_PARTITIONS, or an error, which is answered with an unassign. */
  readonly code: number
  readonly partitions: readonly TopicPartition[]
}

type Native = Pick<
  NativeConsumer,
  | 'assign'
  | 'unassign'
  | 'incrementalAssign'
  | 'incrementalUnassign'
  | 'assignmentLost'
  | 'rebalanceProtocol'
  | 'pause'
  | 'resume'
>

/** A consumer's partitions, and the positions and pauses that belong to them. */
export class GroupAssignment {
  readonly #native: Native
  readonly #events: RebalanceEvent[] = []
  readonly #partitions = new Map<string, TopicPartition>()
  /** Partitions that the listener is being told of, with where to start if it has said so. */
  #arriving = new Map<string, NativeTopicPartition>()
  readonly #paused = new Map<string, TopicPartition>()
  /** Those among the paused that librdkafka was not told of. */
  readonly #resting = new Set<string>()
  /** librdkafka has everything paused for a moment, whatever was asked for. */
  #isHeld = false
  #isClosing = false

  constructor(native: Native) {
    this.#native = native
  }

  get hasEvents(): boolean {
    return this.#events.length > 0
  }

  partitions(): readonly TopicPartition[] {
    return [...this.#partitions.values()]
  }

  /** `arriving`: librdkafka does not know of it before the listener has returned. */
  stateOf(tp: TopicPartition): 'assigned' | 'arriving' | 'absent' {
    const key = topicPartitionKey(tp)
    if (this.#arriving.has(key)) return 'arriving'
    return this.#partitions.has(key) ? 'assigned' : 'absent'
  }

  announce(event: RebalanceEvent): void {
    if (this.#isClosing) this.#answerWhileClosing(event)
    else this.#events.push(event)
  }

  /** Sets where an arriving partition starts. */
  startAt(position: NativeTopicPartition): void {
    const { topic, partition, offset } = position
    this.#arriving.set(topicPartitionKey(position), {
      topic,
      partition,
      ...(offset !== undefined && { offset }),
    })
  }

  /** librdkafka is told by `applyPauses`, or when the partition arrives. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const tp of partitions) {
      const key = topicPartitionKey(tp)
      if (this.#partitions.has(key) && !this.#paused.has(key)) this.#resting.add(key)
      this.#paused.set(key, tp)
    }
  }

  /** Returns those that librdkafka must be told of. */
  resume(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    return partitions.filter((tp) => {
      const key = topicPartitionKey(tp)
      this.#paused.delete(key)
      return !this.#resting.delete(key) && this.#partitions.has(key) && !this.#isHeld
    })
  }

  /** Everything is paused, and librdkafka does not know of all of it. */
  get isResting(): boolean {
    return this.#resting.size > 0 && this.#paused.size >= this.#partitions.size
  }

  /** Tells librdkafka of every pause that it does not know of. It throws away what it has fetched of those partitions. */
  applyPauses(): void {
    if (this.#resting.size === 0) return
    const partitions = this.partitions().filter((tp) => this.#resting.has(topicPartitionKey(tp)))
    this.#resting.clear()
    if (partitions.length > 0) this.#native.pause(partitions)
  }

  /** Pauses everything in librdkafka, until `letGo`. */
  hold(): void {
    this.applyPauses()
    const awake = this.#awake()
    if (awake.length > 0) this.#native.pause(awake)
    this.#isHeld = true
  }

  letGo(): void {
    this.#isHeld = false
    const awake = this.#awake()
    if (awake.length > 0) this.#native.resume(awake)
  }

  /** Reads exactly these, without the group. */
  assignManually(partitions: readonly NativeTopicPartition[]): void {
    this.#release(this.partitions())
    this.#native.assign(partitions)
    this.#partitions.clear()
    this.#paused.clear()
    this.#resting.clear()
    for (const tp of partitions) this.#add(tp)
  }

  /**
   * Tells the listener what is announced and then answers librdkafka, whatever the listener did.
   *
   * @throws what the listener threw first.
   */
  async handleEvents(listener: RebalanceListener): Promise<void> {
    const errors: unknown[] = []
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      try {
        await this.#handle(event, listener)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  /**
   * Answers what is announced and takes leave of all partitions. From now on announcements are answered at
   * once: librdkafka does not finish its close before.
   *
   * @throws what the listener threw.
   */
  async leave(listener: RebalanceListener | undefined): Promise<void> {
    try {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        // Nothing new is accepted any more; librdkafka needs its answer all the same.
        if (event.code === ASSIGN_PARTITIONS) this.#assign([])
        else if (listener !== undefined) await this.#handle(event, listener)
      }
      const partitions = this.partitions()
      if (listener !== undefined && partitions.length > 0) await listener.onRevoked(partitions)
    } finally {
      this.#isClosing = true
      for (const event of this.#events.splice(0)) this.#answerWhileClosing(event)
    }
  }

  async #handle(event: RebalanceEvent, listener: RebalanceListener): Promise<void> {
    if (event.code === ASSIGN_PARTITIONS) {
      for (const { topic, partition } of event.partitions) this.startAt({ topic, partition })
      try {
        if (event.partitions.length > 0) await listener.onAssigned(event.partitions)
      } finally {
        const starts = event.partitions.map((tp) => this.#arriving.get(topicPartitionKey(tp)) ?? tp)
        this.#arriving = new Map()
        this.#assign(starts)
      }
      return
    }
    const isLost = event.code !== REVOKE_PARTITIONS || this.#native.assignmentLost()
    try {
      if (event.partitions.length > 0) {
        await (isLost ? listener.onLost(event.partitions) : listener.onRevoked(event.partitions))
      }
    } finally {
      this.#unassign(event.partitions)
    }
  }

  #assign(partitions: readonly NativeTopicPartition[]): void {
    if (this.#native.rebalanceProtocol() === 'COOPERATIVE') {
      this.#native.incrementalAssign(partitions)
    } else {
      this.#native.assign(partitions)
      this.#partitions.clear()
    }
    for (const tp of partitions) this.#add(tp)
    const paused = partitions.filter((tp) => this.#paused.has(topicPartitionKey(tp)))
    for (const tp of paused) this.#resting.delete(topicPartitionKey(tp))
    if (paused.length > 0) this.#native.pause(paused)
  }

  /** librdkafka keeps a partition paused beyond its assignment, until this consumer gets it again. */
  #release(partitions: readonly TopicPartition[]): void {
    const told = partitions.filter((tp) => {
      const key = topicPartitionKey(tp)
      return this.#paused.has(key) && !this.#resting.has(key)
    })
    if (told.length === 0) return
    try {
      this.#native.resume(told)
    } catch {
      // It does not know the partition any more, so it has forgotten the pause too. The answer to the group must not fail.
    }
  }

  #unassign(partitions: readonly TopicPartition[]): void {
    if (this.#native.rebalanceProtocol() === 'COOPERATIVE') {
      this.#release(partitions)
      this.#native.incrementalUnassign(partitions)
      for (const tp of partitions) this.#remove(tp)
    } else {
      this.#release(this.partitions())
      this.#native.unassign()
      this.#partitions.clear()
      this.#paused.clear()
      this.#resting.clear()
    }
  }

  #answerWhileClosing(event: RebalanceEvent): void {
    // The protocol is `NONE` by now, and an unassign answers every announcement of a group that is left,
    // but for one that came just before.
    const answers = [
      () => this.#native.unassign(),
      () => this.#native.incrementalUnassign(event.partitions),
      () => this.#native.incrementalAssign([]),
    ]
    for (const answer of answers) {
      try {
        answer()
        return
      } catch {
        // Refused in this state: the next answer is the right one, or the client is gone, and nobody waits.
      }
    }
  }

  #awake(): readonly TopicPartition[] {
    return this.partitions().filter((tp) => !this.#paused.has(topicPartitionKey(tp)))
  }

  #add({ topic, partition }: TopicPartition): void {
    const tp = { topic, partition }
    this.#partitions.set(topicPartitionKey(tp), tp)
  }

  #remove(tp: TopicPartition): void {
    this.#partitions.delete(topicPartitionKey(tp))
    this.#paused.delete(topicPartitionKey(tp))
    this.#resting.delete(topicPartitionKey(tp))
  }
}
