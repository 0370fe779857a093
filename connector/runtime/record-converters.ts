import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import type { Header, SinkRecord, SourceRecord } from '../api/records.ts'
import type { Awaitable } from '../api/task-context.ts'
import type { ConsumerMessage, MessageHeader } from '../kafka/client.ts'
import { isPromise } from './limits.ts'
import { ConsumedRecord } from './sink-record.ts'
import type { ConvertedRecord } from './source-dead-letter.ts'
import { type ErrorContext, SKIPPED, type Stage, type ToleranceOperator } from './tolerance.ts'
import type { TransformationChain } from './transformation-chain.ts'

/** The converters of a task. */
export interface TaskConverters {
  readonly key: Converter
  readonly value: Converter
  readonly header: HeaderConverter
}

const NO_HEADERS: readonly Header[] = []

interface Begun {
  readonly key?: Awaitable<ConvertedData>
  readonly value?: Awaitable<ConvertedData>
}

/** Makes records of messages: converts, then transforms. Answers at once unless a converter has to ask somebody or something fails. */
export class SinkRecordReader {
  readonly #converters: TaskConverters
  readonly #chain: TransformationChain
  readonly #operator: ToleranceOperator
  /** Of transformed records, the messages they came from. */
  readonly #messages = new WeakMap<SinkRecord, ConsumerMessage>()

  constructor(converters: TaskConverters, chain: TransformationChain, operator: ToleranceOperator) {
    this.#converters = converters
    this.#chain = chain
    this.#operator = operator
  }

  /** Null: the record was dropped by a transformation or skipped for an error. */
  read(message: ConsumerMessage): Awaitable<SinkRecord | null> {
    const { topic } = message
    let key: Awaitable<ConvertedData> | undefined
    let value: Awaitable<ConvertedData> | undefined
    try {
      const headers = this.#headers(message)
      key = this.#converters.key.toConnectData(topic, headers, message.key)
      if (isPromise(key)) return this.#readSlowly(message, { key })
      value = this.#converters.value.toConnectData(topic, headers, message.value)
      if (isPromise(value)) return this.#readSlowly(message, { key, value })
      const record = new ConsumedRecord(message, key, value, headers)
      return this.#chain.isEmpty ? record : this.#transform(record)
    } catch {
      // Fails again there, where the stage is known.
      return this.#readSlowly(message, {
        ...(key !== undefined && { key }),
        ...(value !== undefined && { value }),
      })
    }
  }

  /** The message that a record was made of. */
  messageOf(record: SinkRecord): ConsumerMessage | undefined {
    return record instanceof ConsumedRecord ? record.message : this.#messages.get(record)
  }

  async #readSlowly(message: ConsumerMessage, begun: Begun): Promise<SinkRecord | null> {
    const { converters, topic } = { converters: this.#converters, topic: message.topic }
    const first: { -readonly [K in keyof Begun]: Begun[K] } = { ...begun }
    const headers = await this.#stage('HEADER_CONVERTER', converters.header, message, () =>
      this.#headers(message),
    )
    if (headers === SKIPPED) return null
    const key = await this.#stage('KEY_CONVERTER', converters.key, message, () => {
      const pending = first.key
      delete first.key
      return pending ?? converters.key.toConnectData(topic, headers, message.key)
    })
    if (key === SKIPPED) return null
    const value = await this.#stage('VALUE_CONVERTER', converters.value, message, () => {
      const pending = first.value
      delete first.value
      return pending ?? converters.value.toConnectData(topic, headers, message.value)
    })
    if (value === SKIPPED) return null
    const record = new ConsumedRecord(message, key, value, headers)
    const transformed = await this.#stage('TRANSFORMATION', this.#chain, message, () =>
      this.#transform(record),
    )
    return transformed === SKIPPED ? null : transformed
  }

  #transform(record: ConsumedRecord): SinkRecord | null {
    const transformed: SinkRecord | null = this.#chain.apply<SinkRecord>(record)
    if (transformed !== null && transformed !== record) {
      this.#messages.set(transformed, record.message)
    }
    return transformed
  }

  #headers({ topic, headers }: ConsumerMessage): readonly Header[] {
    if (headers.length === 0) return NO_HEADERS
    return headers.map(({ key, value }) => {
      const converted = this.#converters.header.toConnectHeader(topic, key, value)
      return { key, schema: converted.schema, value: converted.value }
    })
  }

  async #stage<T>(
    stage: Stage,
    executing: object,
    message: ConsumerMessage,
    work: () => Awaitable<T>,
  ): Promise<T | typeof SKIPPED> {
    const context = { stage, executingClass: this.#classOf(executing), message }
    try {
      return await this.#operator.answer(context, work())
    } catch (error) {
      return this.#operator.recover(context, error, work)
    }
  }

  #classOf(executing: object): string {
    return executing === this.#chain ? this.#chain.classNames : executing.constructor.name
  }
}

const NO_MESSAGE_HEADERS: readonly MessageHeader[] = []

/** Turns source records into bytes: transforms, then converts. */
export class SourceRecordWriter {
  readonly #converters: TaskConverters
  readonly #chain: TransformationChain
  readonly #operator: ToleranceOperator

  constructor(converters: TaskConverters, chain: TransformationChain, operator: ToleranceOperator) {
    this.#converters = converters
    this.#chain = chain
    this.#operator = operator
  }

  /** Null: dropped by a transformation or skipped for an error. */
  async transform(record: SourceRecord): Promise<SourceRecord | null> {
    if (this.#chain.isEmpty) return record
    const context = this.#context('TRANSFORMATION', this.#chain.classNames, record)
    const transformed = await this.#stage(context, () => this.#chain.apply(record))
    return transformed === SKIPPED ? null : transformed
  }

  /** Null: skipped for an error. Waits only where a converter must ask somebody. */
  async convert(record: SourceRecord): Promise<ConvertedRecord | null> {
    const { topic, headers } = record
    const { key, value } = this.#converters
    const messageHeaders =
      headers.length === 0
        ? NO_MESSAGE_HEADERS
        : await this.#stage(
            this.#context('HEADER_CONVERTER', this.#converters.header, record),
            () =>
              headers.map((header) => ({
                key: header.key,
                value: this.#converters.header.fromConnectHeader(topic, header),
              })),
          )
    if (messageHeaders === SKIPPED) return null
    const keyBytes = await this.#stage(this.#context('KEY_CONVERTER', key, record), () =>
      key.fromConnectData(topic, headers, record.keySchema, record.key),
    )
    if (keyBytes === SKIPPED) return null
    const valueBytes = await this.#stage(this.#context('VALUE_CONVERTER', value, record), () =>
      value.fromConnectData(topic, headers, record.valueSchema, record.value),
    )
    if (valueBytes === SKIPPED) return null
    return { key: keyBytes, value: valueBytes, headers: messageHeaders }
  }

  #context(stage: Stage, executing: object | string, record: SourceRecord): ErrorContext {
    const executingClass = typeof executing === 'string' ? executing : executing.constructor.name
    return { stage, executingClass, message: undefined, record }
  }

  async #stage<T>(context: ErrorContext, work: () => Awaitable<T>): Promise<T | typeof SKIPPED> {
    try {
      return await this.#operator.answer(context, work())
    } catch (error) {
      return this.#operator.recover(context, error, work)
    }
  }
}
