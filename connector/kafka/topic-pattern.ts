import type { NativeLog } from './native-log.ts'
import type { NativeConsumer } from './native.ts'

/** While nothing matches, a topic that is just being made should be found soon. */
const REFRESH_WITHOUT_MATCH_MS = 1_000
const METADATA_TIMEOUT_MS = 5_000
/** Kafka's own, which Java's consumer leaves out too (exclude.internal.topics). */
const INTERNAL_TOPICS = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/**
 * A subscription by pattern. The matching is ours, because librdkafka's expressions are neither Java's nor
 * JavaScript's, and brokers differ in whether they know any.
 */
export class TopicPattern {
  readonly #pattern: RegExp
  readonly #native: Pick<NativeConsumer, 'getMetadata' | 'subscribe'>
  readonly #refreshMs: number
  #topics: readonly string[] = []
  #nextAt = 0

  constructor(
    pattern: RegExp,
    native: Pick<NativeConsumer, 'getMetadata' | 'subscribe'>,
    refreshMs: number,
  ) {
    this.#pattern = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replaceAll(/[gy]/g, ''))
    this.#native = native
    this.#refreshMs = refreshMs
  }

  /** Subscribes to what matches now, if it is time to look again. Logs when no broker answers. */
  async refresh(log: NativeLog): Promise<void> {
    const now = performance.now()
    if (now < this.#nextAt) return
    const names = await this.#topicNames(log)
    const topics = names
      .filter((name) => this.#pattern.test(name) && !INTERNAL_TOPICS.has(name))
      .sort()
    this.#nextAt = now + (topics.length === 0 ? REFRESH_WITHOUT_MATCH_MS : this.#refreshMs)
    if (topics.length === 0 || topics.join() === this.#topics.join()) return
    this.#topics = topics
    this.#native.subscribe(topics)
  }

  #topicNames(log: NativeLog): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#native.getMetadata(
        { allTopics: true, timeout: METADATA_TIMEOUT_MS },
        (error, metadata) => {
          if (error != null) log.warn(`Can't list topics: ${error.message} (${error.code}).`)
          resolve(error == null ? metadata.topics.map(({ name }) => name) : this.#topics)
        },
      )
    })
  }
}
