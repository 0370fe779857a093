// The part of the native consumer that tests of our consumer need: it queues commits and answers them out of `consume`,
// as librdkafka does, and drops what it has fetched when a partition is paused.
import type { ConsumerCallbacks } from '../../connector/kafka/native-consumer.ts'
import type {
  NativeConsumer,
  NativeError,
  NativeMessage,
  NativeTopicPartition,
} from '../../connector/kafka/native.ts'

type Done<T> = (error: NativeError | null | undefined, result: T) => void

export class FakeNativeConsumer implements NativeConsumer {
  readonly calls: string[] = []
  readonly callbacks: ConsumerCallbacks
  /** Messages that `consume` gives out, unless they are paused. */
  readonly fetched: NativeMessage[] = []
  /** What the coordinator says of the next commits, one each; default: taken. */
  readonly refusals: NativeError[] = []
  /** While true, the coordinator says nothing. */
  isSilent = false
  /** While true, `consume` does not come back before `release`. */
  isHanging = false
  #release: (() => void) | undefined
  #commits: (readonly NativeTopicPartition[])[] = []
  #paused = new Set<number>()

  constructor(callbacks: ConsumerCallbacks) {
    this.callbacks = callbacks
  }

  release(): void {
    this.isHanging = false
    this.#release?.()
  }

  on = (): void => {}
  isConnected = (): boolean => true
  setDefaultConsumeTimeout = (): void => {}
  subscribe = (): void => {}
  unassign = (): void => {}
  incrementalUnassign = (): void => {}
  assignmentLost = (): boolean => false
  rebalanceProtocol = (): 'COOPERATIVE' => 'COOPERATIVE'
  assign = (): void => {}
  incrementalAssign = (): void => {}

  connect(_options: unknown, done: Done<{ topics: [] }>): void {
    done(null, { topics: [] })
  }

  getMetadata(_options: unknown, done: Done<{ topics: [] }>): void {
    done(null, { topics: [] })
  }

  // The library's own signature.
  // oxlint-disable-next-line max-params
  queryWatermarkOffsets(
    _topic: string,
    _partition: number,
    _timeoutMs: number,
    done: Done<{ lowOffset: number; highOffset: number }>,
  ): void {
    done(null, { lowOffset: 0, highOffset: 0 })
  }

  consume(max: number, done: Done<readonly NativeMessage[]>): void {
    if (this.isHanging) {
      this.#release = () => done(null, [])
      return
    }
    setImmediate(() => {
      this.#answerCommits()
      const ready = this.fetched.filter(({ partition }) => !this.#paused.has(partition))
      const given = ready.slice(0, max)
      for (const message of given) this.fetched.splice(this.fetched.indexOf(message), 1)
      done(null, given)
    })
  }

  seek(_position: NativeTopicPartition, _timeoutMs: number, done: (error: null) => void): void {
    done(null)
  }

  pause = (tps: readonly NativeTopicPartition[]): void => {
    this.calls.push(`pause ${tps.map(({ partition }) => partition).join()}`)
    for (const { partition } of tps) this.#paused.add(partition)
  }

  resume = (tps: readonly NativeTopicPartition[]): void => {
    this.calls.push(`resume ${tps.map(({ partition }) => partition).join()}`)
    for (const { partition } of tps) this.#paused.delete(partition)
  }

  commitCb(offsets: readonly NativeTopicPartition[], done: (error: null) => void): void {
    this.#commits.push(offsets)
    setImmediate(() => done(null))
  }

  committed(_tps: unknown, _timeoutMs: number, done: Done<readonly NativeTopicPartition[]>): void {
    done(null, [])
  }

  disconnect(done: (error: null) => void): void {
    this.calls.push('disconnect')
    done(null)
  }

  #answerCommits(): void {
    if (this.isSilent) return
    for (const offsets of this.#commits.splice(0)) {
      this.callbacks.onCommit(this.refusals.shift(), offsets)
    }
  }
}
