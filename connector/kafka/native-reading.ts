import type { ConsumerMessage } from './client.ts'
import { notePositions, toConsumerMessages } from './messages.ts'
import type { NativeCommits } from './native-commits.ts'
import { callError, endsClient } from './native-errors.ts'
import type { NativeLog } from './native-log.ts'
import type { NativeConsumer, NativeError } from './native.ts'
import type { PackedReader } from './packed-reader.ts'

export interface NativeReadingParts {
  readonly name: string
  readonly native: NativeConsumer
  readonly log: NativeLog
  readonly commits: NativeCommits
  readonly errorText: (code: number) => string
}

/** Takes what librdkafka has ready: packed once `packed` is set, else by the binding. */
export class NativeReading {
  readonly #parts: NativeReadingParts
  #failure: NativeError | undefined
  packed: PackedReader | undefined

  constructor(parts: NativeReadingParts) {
    this.#parts = parts
  }

  /**
   * At most `max` messages, without waiting for any, and notes in `positions` where each partition goes on. Always lets the
   * event loop turn once: what the group and the coordinator say comes by it.
   */
  async take(max: number, positions: Map<string, number>): Promise<readonly ConsumerMessage[]> {
    const found = this.#parts.commits.takeFound()
    const messages =
      found.length > 0
        ? toConsumerMessages(found)
        : this.packed === undefined
          ? await this.#consume(max)
          : await this.#readPacked(this.packed, max)
    notePositions(messages, positions)
    return messages
  }

  async #readPacked(packed: PackedReader, max: number): Promise<readonly ConsumerMessage[]> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.#failure = undefined
      this.#failed(failure)
      return []
    }
    const { messages, errorCode } = packed.read(max)
    if (errorCode === undefined) return messages
    const failure = { code: errorCode, message: this.#parts.errorText(errorCode) }
    // What came before the failure comes first.
    if (messages.length > 0) this.#failure = failure
    else this.#failed(failure)
    return messages
  }

  #consume(max: number): Promise<readonly ConsumerMessage[]> {
    return new Promise((resolve, reject) => {
      this.#parts.native.consume(max, (error, messages) => {
        if (error == null) {
          resolve(toConsumerMessages(messages))
          return
        }
        try {
          this.#failed(error)
          resolve([])
        } catch (fatal) {
          reject(fatal instanceof Error ? fatal : new Error(String(fatal), { cause: fatal }))
        }
      })
    })
  }

  /** Throws for an error that ends the client, and only logs any other. */
  #failed(error: NativeError): void {
    const { log, name } = this.#parts
    if (endsClient(error.code)) throw callError(name, error, log.reasons)
    log.warn(`${name}: ${error.message} (${error.code}).`)
  }
}
