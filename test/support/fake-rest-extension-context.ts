import type { Clock } from '../../connector/api/clock.ts'
import type { SinkRecord } from '../../connector/api/records.ts'
import type { ConnectorStatus, RestExtensionContext } from '../../connector/api/rest-extension.ts'
import { recordingLog } from './recording-log.ts'

type RequestHandler = Parameters<RestExtensionContext['handle']>[1]
type UpgradeHandler = Parameters<RestExtensionContext['onUpgrade']>[1]

/** What a worker gives a rest extension: records, states and figures are what the test says they are. */
export class FakeRestExtensionContext implements RestExtensionContext {
  readonly clock: Clock
  readonly log = recordingLog()
  readonly workerConfig = {}
  readonly handlers = new Map<string, RequestHandler>()
  readonly upgrades = new Map<string, UpgradeHandler>()
  /** The topics and options of each call of `records`. */
  readonly followed: { readonly topics: readonly string[]; readonly backlog: number }[] = []
  /** What `/metrics` says; an error when it cannot be read. */
  metrics: string | Error = ''
  #statuses: readonly ConnectorStatus[] = []
  readonly #statusListeners = new Set<(connector: ConnectorStatus) => void>()
  #waiting: (readonly SinkRecord[] | Error)[] = []
  #wake: () => void = () => undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  connectors(): readonly ConnectorStatus[] {
    return this.#statuses
  }

  metricsText(): Promise<string> {
    const { metrics } = this
    return metrics instanceof Error ? Promise.reject(metrics) : Promise.resolve(metrics)
  }

  onStatus(listener: (connector: ConnectorStatus) => void): () => void {
    this.#statusListeners.add(listener)
    return () => this.#statusListeners.delete(listener)
  }

  get statusListeners(): number {
    return this.#statusListeners.size
  }

  /** Changes what the worker runs, and says so to who listens. */
  setConnectors(statuses: readonly ConnectorStatus[]): void {
    this.#statuses = statuses
    for (const listener of this.#statusListeners) {
      for (const status of statuses) listener(status)
    }
  }

  /** A batch for who follows the topics; an error ends that following. */
  push(batch: readonly SinkRecord[] | Error): void {
    this.#waiting.push(batch)
    this.#wake()
  }

  async *records(
    topics: readonly string[],
    signal: AbortSignal,
    options?: { readonly backlog?: number },
  ): AsyncIterable<readonly SinkRecord[]> {
    this.followed.push({ topics, backlog: options?.backlog ?? 0 })
    while (!signal.aborted) {
      const batch = this.#waiting.shift()
      if (batch instanceof Error) throw batch
      if (batch === undefined) await this.#more(signal)
      else yield batch
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end)
        resolve()
      }
      this.#wake = end
      signal.addEventListener('abort', end, { once: true })
    })
  }

  handle(path: string, handler: RequestHandler): void {
    this.handlers.set(path, handler)
  }

  onUpgrade(path: string, handler: UpgradeHandler): void {
    this.upgrades.set(path, handler)
  }
}
