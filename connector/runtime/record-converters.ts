import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import type { Header, SinkRecord, SourceRecord } from '../api/records.ts'
import type { Awaitable } from '../api/task-context.ts'
import type { ConsumerMessage, MessageHeader } from '../kafka/client.ts'
import { isPromise } from './limits.ts'
import { ConsumedRecord } from './sink-record.ts'
import type { ConvertedRecord } from './source-dead-letter.ts'
import { type ErrorContext, SKIPPED, type Stage, type ToleranceOperator } from './tolerance.ts'
import type { TransformationChain } from './transformation-chain.ts'

/** The converters of a task, and their classes as configurations name them. */
export interface TaskConverters {
  readonly key: Converter
  readonly value: Converter
  readonly header: HeaderConverter
  readonly classNames: { readonly key: string; readonly value: string; readonly header: string }
}

const NO_HEADERS: readonly Header[] = []

/** How far a record came at once. Each step is an operation of its own: what is done is not done again. */
interface Begun {
  readonly headers?: readonly Header[] | undefined
  readonly key?: Awaitable<ConvertedData> | undefined
  readonly value?: Awaitable<ConvertedData> | undefined
  /** What the next link of the chain is given. */
  readonly record?: SinkRecord | undefined
  /** How many links are done. */
  readonly links?: number
  /** What the next step threw. */
  readonly thrown?: { readonly error: unknown }
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
    let headers: readonly Header[] | undefined
    let key: Awaitable<ConvertedData> | undefined
    let value: Awaitable<ConvertedData> | undefined
    let record: SinkRecord | undefined
    let links = 0
    try {
      headers = this.#headers(message)
      key = this.#converters.key.toConnectData(topic, headers, message.key)
      if (isPromise(key)) return this.#readSlowly(message, { headers, key })
      value = this.#converters.value.toConnectData(topic, headers, message.value)
      if (isPromise(value)) return this.#readSlowly(message, { headers, key, value })
      record = new ConsumedRecord(message, key, value, headers)
      if (this.#chain.isEmpty) return record
      for (const link of this.#chain.links) {
        const next: SinkRecord | null = link.apply(record)
        if (next === null) return null
        record = next
        links++
      }
      return this.#remember(record, message)
    } catch (error) {
      return this.#readSlowly(message, { headers, key, value, record, links, thrown: { error } })
    }
  }

  /** The message that a record was made of. */
  messageOf(record: SinkRecord): ConsumerMessage | undefined {
    return record instanceof ConsumedRecord ? record.message : this.#messages.get(record)
  }

  async #readSlowly(message: ConsumerMessage, begun: Begun): Promise<SinkRecord | null> {
    const { topic } = message
    const { key: keys, value: values, classNames } = this.#converters
    const step = new Steps(this.#operator, message, begun.thrown)
    const headers = await step.take('HEADER_CONVERTER', classNames.header, begun.headers, () =>
      this.#headers(message),
    )
    if (headers === SKIPPED) return null
    const key = await step.take('KEY_CONVERTER', classNames.key, begun.key, () =>
      keys.toConnectData(topic, headers, message.key),
    )
    if (key === SKIPPED) return null
    const value = await step.take('VALUE_CONVERTER', classNames.value, begun.value, () =>
      values.toConnectData(topic, headers, message.value),
    )
    if (value === SKIPPED) return null
    let record = begun.record ?? new ConsumedRecord(message, key, value, headers)
    for (const link of this.#chain.links.slice(begun.links ?? 0)) {
      const current = record
      const next = await step.take<SinkRecord | null>(
        'TRANSFORMATION',
        link.className,
        undefined,
        () => link.apply(current),
      )
      if (next === SKIPPED || next === null) return null
      record = next
    }
    return this.#remember(record, message)
  }

  #remember(record: SinkRecord, message: ConsumerMessage): SinkRecord {
    if (!(record instanceof ConsumedRecord)) this.#messages.set(record, message)
    return record
  }

  #headers({ topic, headers }: ConsumerMessage): readonly Header[] {
    if (headers.length === 0) return NO_HEADERS
    return headers.map(({ key, value }) => {
      const converted = this.#converters.header.toConnectHeader(topic, key, value)
      return { key, schema: converted.schema, value: converted.value }
    })
  }
}

/** The steps of one message, one after the other. The first that was not begun is the one that threw. */
class Steps {
  readonly #operator: ToleranceOperator
  readonly #message: ConsumerMessage
  #thrown: { readonly error: unknown } | undefined

  constructor(
    operator: ToleranceOperator,
    message: ConsumerMessage,
    thrown: { readonly error: unknown } | undefined,
  ) {
    this.#operator = operator
    this.#message = message
    this.#thrown = thrown
  }

  /** The step's result: what was `begun`, else what `work` gives. Retries are of this step alone. */
  async take<T>(
    stage: Stage,
    executingClass: string,
    begun: Awaitable<T> | undefined,
    work: () => Awaitable<T>,
  ): Promise<T | typeof SKIPPED> {
    const context = { stage, executingClass, message: this.#message }
    if (begun === undefined && this.#thrown !== undefined) {
      const { error } = this.#thrown
      this.#thrown = undefined
      return this.#operator.recover(context, error, work)
    }
    return operate(this.#operator, context, begun === undefined ? work : () => begun, work)
  }
}

async function operate<T>(
  operator: ToleranceOperator,
  context: ErrorContext,
  first: () => Awaitable<T>,
  again = first,
): Promise<T | typeof SKIPPED> {
  try {
    return await operator.answer(context, first())
  } catch (error) {
    return operator.recover(context, error, again)
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
    let current = record
    for (const link of this.#chain.links) {
      const given = current
      let next: SourceRecord | null | typeof SKIPPED
      try {
        next = link.apply(given)
      } catch (error) {
        const context = contextOf('TRANSFORMATION', link.className, record)
        next = await this.#operator.recover(context, error, () => link.apply(given))
      }
      if (next === SKIPPED || next === null) return null
      current = next
    }
    return current
  }

  /** Null: skipped for an error. Waits only where a converter must ask somebody. */
  async convert(record: SourceRecord): Promise<ConvertedRecord | null> {
    const { topic, headers } = record
    const { key, value, header, classNames } = this.#converters
    const messageHeaders =
      headers.length === 0
        ? NO_MESSAGE_HEADERS
        : await this.#operate('HEADER_CONVERTER', classNames.header, record, () =>
            headers.map((one) => ({ key: one.key, value: header.fromConnectHeader(topic, one) })),
          )
    if (messageHeaders === SKIPPED) return null
    const keyBytes = await this.#operate('KEY_CONVERTER', classNames.key, record, () =>
      key.fromConnectData(topic, headers, record.keySchema, record.key),
    )
    if (keyBytes === SKIPPED) return null
    const valueBytes = await this.#operate('VALUE_CONVERTER', classNames.value, record, () =>
      value.fromConnectData(topic, headers, record.valueSchema, record.value),
    )
    if (valueBytes === SKIPPED) return null
    return { key: keyBytes, value: valueBytes, headers: messageHeaders }
  }

  #operate<T>(
    stage: Stage,
    executingClass: string,
    record: SourceRecord,
    work: () => Awaitable<T>,
  ): Promise<T | typeof SKIPPED> {
    return operate(this.#operator, contextOf(stage, executingClass, record), work)
  }
}

const contextOf = (stage: Stage, executingClass: string, record: SourceRecord): ErrorContext => ({
  stage,
  executingClass,
  message: undefined,
  record,
})
