import { ConnectError, RetriableError } from '../api/errors.ts'
import type { DeliveryCallback, MessageHeader, Producer, ProducerMessage } from './client.ts'
import { connectNative, notConnected } from './native-connection.ts'
import { deliveryError, isNativeError, QUEUE_FULL } from './native-errors.ts'
import type { NativeLog } from './native-log.ts'
import type { NativeError, NativeHeader, NativeProducer } from './native.ts'
import { orAborted, settlesWithin } from './waiting.ts'

/** A full queue has room again when it is down to this share. */
const ROOM = 0.75
const DISCONNECT_LIMIT_MS = 5_000

export interface NativeProducerOptions {
  readonly name: string
  readonly connectTimeoutMs: number
  readonly make: (log: NativeLog) => NativeProducer
  readonly newLog: () => NativeLog
}

interface Fresh {
  readonly log: NativeLog
  readonly native: NativeProducer
}

/** See `Producer`. A connect that failed can be tried again. */
export class ConfluentProducer implements Producer {
  readonly #options: NativeProducerOptions
  /** Made, but not connected yet. */
  #fresh: Fresh | undefined
  #native: NativeProducer | undefined
  #log: NativeLog
  /** Messages that wait for their acknowledgement, by the number that travels with them. */
  readonly #pending = new Map<number, DeliveryCallback>()
  #number = 0
  #waiters: { readonly atMost: number; readonly resolve: () => void }[] = []
  #fullAt: number | undefined
  #closing: Promise<void> | undefined

  constructor(options: NativeProducerOptions) {
    this.#options = options
    this.#fresh = this.#make() // Now, so that a wrong property is told at once.
    this.#log = this.#fresh.log
  }

  #make(): Fresh {
    const log = this.#options.newLog()
    return { log, native: this.#options.make(log) }
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#native !== undefined) return
    if (this.#closing !== undefined) throw notConnected(this.#options.name)
    const { log, native } = this.#fresh ?? this.#make()
    this.#fresh = undefined
    native.on('delivery-report', (error, report) => this.#onDelivery(error, report.opaque, report))
    await connectNative({
      client: native,
      log,
      name: this.#options.name,
      timeoutMs: this.#options.connectTimeoutMs,
      serve: () => native.setPollInBackground(true),
      dispose: () => native.disconnect(0, () => {}),
      signal,
    })
    if (this.#closing !== undefined) {
      native.disconnect(0, () => {})
      throw notConnected(this.#options.name)
    }
    native.setPollInBackground(true)
    this.#log = log
    this.#native = native
  }

  send(message: ProducerMessage, onDelivery: DeliveryCallback): void {
    const native = this.#native
    if (native === undefined || this.#closing !== undefined) throw notConnected(this.#options.name)
    const failure = this.#log.failure(this.#options.name)
    if (failure !== undefined) throw failure
    const number = ++this.#number
    this.#pending.set(number, onDelivery)
    try {
      native.produce(
        message.topic,
        message.partition ?? null,
        message.value && orEmpty(message.value),
        message.key && orEmpty(message.key),
        message.timestamp,
        number,
        toNativeHeaders(message.headers),
      )
    } catch (cause) {
      this.#pending.delete(number)
      if (!isNativeError(cause)) {
        throw new ConnectError(`${this.#options.name} can't send to ${message.topic}`, { cause })
      }
      if (cause.code === QUEUE_FULL) {
        this.#fullAt = this.#pending.size
        throw new RetriableError(
          `The queue of ${this.#options.name} is full: ${this.#pending.size} messages.`,
          { cause },
        )
      }
      const error = deliveryError(`Can't send to ${message.topic}`, cause)
      queueMicrotask(() => onDelivery(error, null))
    }
  }

  drained(signal: AbortSignal): Promise<void> {
    if (this.#fullAt === undefined) return Promise.resolve()
    return orAborted(this.#atMost(Math.floor(this.#fullAt * ROOM)), signal)
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.#native === undefined || this.#pending.size === 0) return
    const before = this.#pending.size
    const empty = this.#atMost(0)
    // Sends at once what waits for company (linger.ms). Its outcome shows in the delivery reports.
    this.#native.flush(timeoutMs, () => {})
    if (!(await settlesWithin(empty, timeoutMs))) {
      throw new RetriableError(
        [
          `${this.#pending.size} of ${before} messages were not acknowledged within ${timeoutMs} ms`,
          ...this.#log.reasons,
        ].join('; '),
      )
    }
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    const native = this.#native
    if (native !== undefined) {
      try {
        await this.flush(timeoutMs)
      } catch (error) {
        this.#log.warn(`${this.#options.name} closes: ${String(error)}.`)
      }
      this.#native = undefined
      const disconnected = new Promise<void>((resolve) => native.disconnect(0, () => resolve()))
      if (!(await settlesWithin(disconnected, DISCONNECT_LIMIT_MS))) {
        this.#log.warn(`${this.#options.name} took too long to disconnect and is left behind.`)
      }
    }
    const left = [...this.#pending.values()]
    this.#pending.clear()
    for (const onDelivery of left) {
      onDelivery(new RetriableError('The producer was closed before this was acknowledged.'), null)
    }
    this.#wake()
  }

  #onDelivery(
    error: NativeError | null,
    number: number,
    delivery: { readonly topic: string; readonly partition: number; readonly offset: number },
  ): void {
    const onDelivery = this.#pending.get(number)
    if (onDelivery === undefined) return
    this.#pending.delete(number)
    const { topic, partition, offset } = delivery
    if (error === null) onDelivery(null, { topic, partition, offset })
    else onDelivery(deliveryError(`Can't deliver to ${topic}`, error), null)
    if (this.#waiters.length > 0) this.#wake()
  }

  #atMost(count: number): Promise<void> {
    if (this.#pending.size <= count) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.push({ atMost: count, resolve })
    })
  }

  #wake(): void {
    const size = this.#pending.size
    const done = this.#waiters.filter((waiter) => size <= waiter.atMost)
    if (done.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => size > waiter.atMost)
    this.#fullAt = undefined
    for (const waiter of done) waiter.resolve()
  }
}

function toNativeHeaders(
  headers: readonly MessageHeader[] | undefined,
): readonly NativeHeader[] | undefined {
  if (headers === undefined || headers.length === 0) return undefined
  return headers.map(({ key, value }) => ({ [key]: value === null ? NOTHING : orEmpty(value) }))
}

// The native client takes bytes without an address for null, and those of an empty array have none.
const NOTHING = new Uint8Array(0)
const EMPTY = Buffer.alloc(1).subarray(0, 0)

/** Bytes as the native client needs them to tell empty from null. */
const orEmpty = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? EMPTY : bytes)
