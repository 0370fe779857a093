import { RetriableError } from '../api/errors.ts'
import { type TopicPartitionOffset, topicPartitionKey } from '../api/topic-partition.ts'
import type { GroupAssignment } from './group-assignment.ts'
import { call } from './native-call.ts'
import { callError } from './native-errors.ts'
import type { NativeConsumer, NativeError, NativeMessage, NativeTopicPartition } from './native.ts'
import { Nap, settlesWithin } from './waiting.ts'

const ANSWER_LIMIT_MS = 30_000
/** How long a commit that nobody awaits relies on the next poll to let its answer out. */
const POLL_SOON_MS = 1_000
const SERVE_AFTER_MS = 5
const SERVE_INTERVAL_MS = 10
const SERVE_LIMIT_MS = 1_000

interface Waiting {
  readonly key: string
  readonly settle: (error: NativeError | undefined) => void
}

/** What the consumer does: only a poll that is not telling its listener lets answers out. */
export type Activity = 'idle' | 'polling' | 'handling'

/**
 * Commits that wait for the coordinator's answer. The native call itself only queues them; the answer comes by
 * `offset_commit_cb`, out of the queue that records come from, and names nothing but the offsets that it is about. Equal
 * ones are answered in their order.
 */
export class NativeCommits {
  readonly #name: string
  readonly #native: NativeConsumer
  readonly #group: GroupAssignment
  readonly #waiting = new Set<Waiting>()
  readonly #found: NativeMessage[] = []
  #serving: Promise<void> | undefined
  activity: Activity = 'idle'

  constructor(parts: {
    readonly name: string
    readonly native: NativeConsumer
    readonly group: GroupAssignment
  }) {
    this.#name = parts.name
    this.#native = parts.native
    this.#group = parts.group
  }

  /** Resolves when nothing is asked of librdkafka on behalf of a commit. */
  get idle(): Promise<void> {
    return this.#serving ?? Promise.resolve()
  }

  /** Records of partitions that were assigned just while answers were let out; for the next poll. */
  takeFound(): readonly NativeMessage[] {
    if (this.#found.length === 0) return []
    return this.#found.splice(0).filter((tp) => this.#group.stateOf(tp) === 'assigned')
  }

  answered(error: NativeError | undefined, offsets: readonly NativeTopicPartition[]): void {
    const key = keyOf(offsets)
    for (const waiting of this.#waiting) {
      if (waiting.key !== key) continue
      this.#waiting.delete(waiting)
      waiting.settle(error)
      return
    }
  }

  /** @throws what the coordinator says, or a `RetriableError` when it says nothing. */
  async commit(offsets: readonly TopicPartitionOffset[], isAwaited: boolean): Promise<void> {
    const what = `${this.#name} can't commit`
    const { answer, forget } = this.#expect(offsets)
    try {
      const unqueued = await call((done) => this.#native.commitCb(offsets, done))
      if (unqueued !== undefined) throw callError(what, unqueued)
      if (!(await this.#isAnswered(answer, isAwaited))) {
        throw new RetriableError(
          `${this.#name} got no answer to its commit within ${ANSWER_LIMIT_MS} ms.`,
        )
      }
      const refused = await answer
      if (refused !== undefined) throw callError(what, refused)
    } finally {
      forget()
    }
  }

  #expect(offsets: readonly TopicPartitionOffset[]) {
    const key = keyOf(offsets)
    let forget: (() => void) | undefined
    const answer = new Promise<NativeError | undefined>((settle) => {
      const waiting = { key, settle }
      this.#waiting.add(waiting)
      forget = () => this.#waiting.delete(waiting)
    })
    return { answer, forget: () => forget?.() }
  }

  async #isAnswered(answer: Promise<unknown>, isAwaited: boolean): Promise<boolean> {
    const deadline = performance.now() + ANSWER_LIMIT_MS
    while (performance.now() < deadline) {
      const isAlone =
        isAwaited || this.activity === 'handling' || this.#group.partitions().length === 0
      if (await settlesWithin(answer, isAlone ? SERVE_AFTER_MS : POLL_SOON_MS)) return true
      if (this.activity !== 'polling') await this.#serve()
    }
    return false
  }

  #serve(): Promise<void> {
    this.#serving ??= this.#letOut().finally(() => {
      this.#serving = undefined
    })
    return this.#serving
  }

  /** Asks for records while every partition is paused, so that only other things come. */
  async #letOut(): Promise<void> {
    const deadline = performance.now() + SERVE_LIMIT_MS
    const nap = new Nap()
    this.#group.hold()
    try {
      while (this.#waiting.size > 0 && this.activity !== 'polling') {
        if (performance.now() > deadline) return
        await new Promise<void>((resolve) => {
          this.#native.consume(1, (error, messages) => {
            // An error shows again in the next poll, which says what it means.
            if (error == null) this.#found.push(...messages)
            resolve()
          })
        })
        if (this.#waiting.size > 0) await nap.sleep(SERVE_INTERVAL_MS, NEVER)
      }
    } finally {
      this.#group.letGo()
    }
  }
}

const NEVER = new AbortController().signal

const keyOf = (offsets: readonly NativeTopicPartition[]): string =>
  offsets
    .map((tpo) => `${topicPartitionKey(tpo)}@${tpo.offset}`)
    .sort()
    .join()
