import { RetriableError } from '../api/errors.ts'
import { topicIdOf } from './topic-id.ts'
import type { TopicDescription, TopicPartitionOffset } from '../api/topic-partition.ts'
import type { Admin, NewTopic } from './client.ts'
import { notConnected } from './native-connection.ts'
import {
  callError,
  isNativeError,
  meaningOf,
  TOPIC_ALREADY_EXISTS,
  UNKNOWN_GROUP,
} from './native-errors.ts'
import type { NativeLog } from './native-log.ts'
import type {
  NativeAdmin,
  NativeError,
  NativeGroupOffsets,
  NativeTopicDescription,
} from './native.ts'
import { orAborted, settlesWithin } from './waiting.ts'

/** What a native call may take beyond its own time-out before we stop waiting for it. */
const GRACE_MS = 2_000
const CLOSE_LIMIT_MS = 10_000

export interface NativeAdminOptions {
  readonly name: string
  readonly connectTimeoutMs: number
  readonly make: (log: NativeLog) => NativeAdmin
  readonly newLog: () => NativeLog
  readonly clusterId: (timeoutMs: number) => Promise<string | undefined>
}

interface Connected {
  readonly native: NativeAdmin
  readonly log: NativeLog
}

type Start<T> = (
  native: NativeAdmin,
  done: (error: NativeError | null | undefined, result: T) => void,
) => void

/** See `Admin`. */
export class ConfluentAdmin implements Admin {
  readonly #options: NativeAdminOptions
  readonly #running = new Set<Promise<unknown>>()
  #connected: Connected | undefined

  constructor(options: NativeAdminOptions) {
    this.#options = options
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return
    const log = this.#options.newLog()
    this.#connected = { native: this.#options.make(log), log }
    try {
      await orAborted(this.listTopics(this.#options.connectTimeoutMs), signal)
      log.forget()
    } catch (error) {
      const closed = this.close()
      // After an abort the time-out of the call is nobody's business.
      if (!signal.aborted) await closed
      const what = `${this.#options.name} can't connect`
      throw log.failure(what, 'connect') ?? error
    }
  }

  async createTopic(topic: NewTopic, timeoutMs: number): Promise<boolean> {
    const { topic: name, partitions, replicationFactor, config } = topic
    try {
      await this.#run<unknown>(timeoutMs, (native, done) =>
        native.createTopic(
          {
            topic: name,
            num_partitions: partitions,
            replication_factor: replicationFactor,
            config,
          },
          timeoutMs,
          (error) => done(error, undefined),
        ),
      )
      return true
    } catch (error) {
      if (isNativeError(error) && error.code === TOPIC_ALREADY_EXISTS) return false
      throw this.#explain(`Can't create topic ${name}`, error)
    }
  }

  async describeTopic(topic: string, timeoutMs: number): Promise<TopicDescription | undefined> {
    const descriptions = await this.#ask<readonly NativeTopicDescription[]>(
      `Can't describe topic ${topic}`,
      timeoutMs,
      (native, done) => native.describeTopics([topic], { timeout: timeoutMs }, done),
    )
    const description = descriptions.find(({ name }) => name === topic)
    if (description === undefined) return undefined
    if (description.error !== undefined) {
      if (meaningOf(description.error.code) === 'absent') return undefined
      throw callError(`Can't describe topic ${topic}`, description.error)
    }
    const { base64 } = description.topicId
    return {
      topic,
      topicId: topicIdOf(base64),
      partitions: description.partitions.length,
    }
  }

  listTopics(timeoutMs: number): Promise<readonly string[]> {
    return this.#ask("Can't list topics", timeoutMs, (native, done) =>
      native.listTopics({ timeout: timeoutMs }, done),
    )
  }

  clusterId(timeoutMs: number): Promise<string | undefined> {
    return this.#options.clusterId(timeoutMs)
  }

  async listGroupOffsets(
    groupId: string,
    timeoutMs: number,
  ): Promise<readonly TopicPartitionOffset[]> {
    const what = `Can't read the offsets of group ${groupId}`
    const groups = await this.#ask<readonly NativeGroupOffsets[]>(what, timeoutMs, (native, done) =>
      native.listConsumerGroupOffsets([{ groupId }], { timeout: timeoutMs }, done),
    )
    const group = groups.find((candidate) => candidate.groupId === groupId)
    if (group === undefined) return []
    if (group.error !== undefined) {
      if (group.error.code === UNKNOWN_GROUP) return []
      throw callError(what, group.error)
    }
    return group.partitions.flatMap(({ topic, partition, offset = -1, error }) => {
      if (error !== undefined) throw callError(`${what} for ${topic}/${partition}`, error)
      return offset < 0 ? [] : [{ topic, partition, offset }]
    })
  }

  async close(): Promise<void> {
    const connected = this.#connected
    this.#connected = undefined
    if (connected === undefined) return
    // A disconnect beside a call would block the event loop until the call ends.
    if (await settlesWithin(Promise.allSettled(this.#running), CLOSE_LIMIT_MS)) {
      connected.native.disconnect()
    } else {
      connected.log.warn(`${this.#options.name} has a call that does not end and is left behind.`)
    }
  }

  async #ask<T>(what: string, timeoutMs: number, start: Start<T>): Promise<T> {
    try {
      return await this.#run(timeoutMs, start)
    } catch (error) {
      throw this.#explain(what, error)
    }
  }

  #explain(what: string, error: unknown): unknown {
    return isNativeError(error) ? callError(what, error, this.#connected?.log.reasons) : error
  }

  /** @throws what the native client answered. */
  async #run<T>(timeoutMs: number, start: Start<T>): Promise<T> {
    const connected = this.#connected
    if (connected === undefined) throw notConnected(this.#options.name)
    const answer = new Promise<T>((resolve, reject) => {
      start(connected.native, (error, result) => {
        if (error == null) resolve(result)
        else reject(error instanceof Error ? error : new Error(error.message, { cause: error }))
      })
    })
    this.#running.add(answer)
    const settled = await settlesWithin(answer, timeoutMs + GRACE_MS)
    if (settled) {
      this.#running.delete(answer)
      return answer
    }
    answer.then(
      () => this.#running.delete(answer),
      () => this.#running.delete(answer),
    )
    throw new RetriableError(`${this.#options.name} got no answer within ${timeoutMs} ms.`)
  }
}
