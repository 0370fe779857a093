// What we use of @confluentinc/kafka-javascript's native (node-rdkafka-style) API, typed by us: its own
// typings lack half of it. `confluent.ts` alone imports the library and hands its parts over as `NativeLibrary`.

export interface NativeError {
  readonly message: string
  readonly code: number
  /** `local` or `broker`; with `message` all that an event tells. */
  readonly origin?: string
}

export interface NativeLogEvent {
  /** As syslog's: 3 is an error, 4 a warning, 6 information. */
  readonly severity: number
  readonly fac: string
  readonly message: string
}

export interface NativeTopicPartition {
  readonly topic: string
  readonly partition: number
  readonly offset?: number
  readonly metadata?: string
}

type Done = (error: NativeError | null | undefined) => void
type DoneWith<T> = (error: NativeError | null | undefined, result: T) => void

export interface NativeMetadata {
  readonly topics: readonly { readonly name: string }[]
}

export interface NativeLogBounds {
  readonly lowOffset: number
  readonly highOffset: number
}

interface Events {
  on(event: 'event.log', listener: (event: NativeLogEvent) => void): unknown
  on(event: 'event.error' | 'error', listener: (error: NativeError) => void): unknown
  on(event: 'event.stats', listener: (event: { readonly message: string }) => void): unknown
}

export interface NativeClient extends Events {
  connect(
    options: { readonly allTopics: boolean; readonly timeout: number },
    done: DoneWith<NativeMetadata>,
  ): unknown
  isConnected(): boolean
  getMetadata(
    options: { readonly allTopics: boolean; readonly timeout: number },
    done: DoneWith<NativeMetadata>,
  ): void
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeoutMs: number,
    done: DoneWith<NativeLogBounds>,
  ): void
}

export interface NativeDeliveryReport {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly opaque: number
}

/** A header is an object of one property. A value is bytes or text; no bytes at all is sent as null. */
export type NativeHeader = Readonly<Record<string, Uint8Array | string>>

export interface NativeProducer extends NativeClient {
  on(event: 'event.log', listener: (event: NativeLogEvent) => void): unknown
  on(event: 'event.error' | 'error', listener: (error: NativeError) => void): unknown
  on(event: 'event.stats', listener: (event: { readonly message: string }) => void): unknown
  on(
    event: 'delivery-report',
    listener: (error: NativeError | null, report: NativeDeliveryReport) => void,
  ): unknown
  // The library's own signature.
  // oxlint-disable-next-line max-params
  produce(
    topic: string,
    partition: number | null,
    value: Uint8Array | null,
    key: Uint8Array | null,
    timestamp: number | undefined,
    opaque: number,
    headers: readonly NativeHeader[] | undefined,
  ): unknown
  setPollInBackground(set: boolean): unknown
  flush(timeoutMs: number, done: Done): unknown
  disconnect(timeoutMs: number, done: Done): unknown
}

export interface NativeMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly Readonly<Record<string, Buffer>>[]
  /** -1 for a record without one. */
  readonly timestamp: number
}

export interface NativeConsumer extends NativeClient {
  /** librdkafka's name of the client, once it is connected. */
  readonly name?: string
  setDefaultConsumeTimeout(timeoutMs: number): void
  subscribe(topics: readonly string[]): unknown
  assign(partitions: readonly NativeTopicPartition[]): unknown
  unassign(): unknown
  incrementalAssign(partitions: readonly NativeTopicPartition[]): unknown
  incrementalUnassign(partitions: readonly NativeTopicPartition[]): unknown
  /** Ends the process when the consumer is disconnected. */
  assignmentLost(): boolean
  rebalanceProtocol(): 'NONE' | 'EAGER' | 'COOPERATIVE'
  consume(max: number, done: DoneWith<readonly NativeMessage[]>): void
  seek(position: NativeTopicPartition, timeoutMs: number, done: Done): unknown
  pause(partitions: readonly NativeTopicPartition[]): unknown
  resume(partitions: readonly NativeTopicPartition[]): unknown
  commitCb(offsets: readonly NativeTopicPartition[], done: Done): unknown
  /** An element is an Error when the broker refused that partition. */
  committed(
    partitions: readonly NativeTopicPartition[],
    timeoutMs: number,
    done: DoneWith<readonly (NativeTopicPartition | Error)[]>,
  ): unknown
  disconnect(done: Done): unknown
}

export interface NativeTopicDescription {
  readonly name: string
  readonly topicId: { readonly base64: string }
  readonly partitions: readonly unknown[]
  readonly error?: NativeError
}

export interface NativeGroupOffsets {
  readonly groupId: string
  readonly error?: NativeError
  readonly partitions: readonly (NativeTopicPartition & { readonly error?: NativeError })[]
}

export interface NativeAdmin {
  /** Immediate, but blocks the event loop while a call is under way. */
  disconnect(): void
  createTopic(
    topic: {
      readonly topic: string
      readonly num_partitions: number
      readonly replication_factor: number
      readonly config: Readonly<Record<string, string>>
    },
    timeoutMs: number,
    done: Done,
  ): void
  describeTopics(
    topics: readonly string[],
    options: { timeout: number },
    done: DoneWith<readonly NativeTopicDescription[]>,
  ): void
  listTopics(options: { timeout: number }, done: DoneWith<readonly string[]>): void
  listConsumerGroupOffsets(
    groups: readonly { readonly groupId: string }[],
    options: { timeout: number },
    done: DoneWith<readonly NativeGroupOffsets[]>,
  ): void
}

export type NativeConfig = Record<string, unknown>

export interface NativeLibrary {
  readonly Producer: new (config: NativeConfig) => NativeProducer
  readonly KafkaConsumer: new (config: NativeConfig) => NativeConsumer
  readonly AdminClient: {
    create(
      config: NativeConfig,
      handlers: {
        readonly 'event.log': (event: NativeLogEvent) => void
        readonly 'event.error': (error: NativeError) => void
        readonly error: (error: NativeError) => void
      },
    ): NativeAdmin
  }
  /** librdkafka's text of an error code. */
  errorText(code: number): string
  /** All codes that librdkafka knows. */
  readonly errorCodes: readonly number[]
}
