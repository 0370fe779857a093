import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import type { PluginLogger } from './plugin-metrics.ts'
import type { SinkRecord } from './records.ts'
import type { TaskHealth } from './task-context.ts'
import type { Awaitable, Props } from './task-context.ts'

export interface TaskStatus {
  readonly id: number
  readonly state: string
  readonly workerId: string
  readonly trace: string | undefined
  readonly health: TaskHealth | null
  /** When the state was entered, milliseconds since the Unix epoch. */
  readonly sinceMs: number
}

export interface ConnectorStatus {
  readonly name: string
  readonly type: 'source' | 'sink' | 'unknown'
  readonly state: string
  readonly workerId: string
  readonly trace: string | undefined
  readonly tasks: readonly TaskStatus[]
}

/** What a rest extension may see of the worker, and where it may answer requests. */
export interface RestExtensionContext {
  readonly clock: Clock
  readonly log: PluginLogger
  /** The worker's configuration, secrets hidden. */
  readonly workerConfig: Props
  connectors(): readonly ConnectorStatus[]
  /** The worker's metrics as `/metrics` shows them, e.g. for a plot. */
  metricsText(): Promise<string>
  /** Calls back after every change of a connector's or a task's state or health. Returns how to end it. */
  onStatus(listener: (connector: ConnectorStatus) => void): () => void
  /**
   * Every record written to the topics from now on, without a consumer group, values converted with the
   * worker's converters. A record that cannot be converted is left out and counted. The batches stop when
   * the signal aborts. `backlog` asks for at most so many records per partition from before.
   */
  records(
    topics: readonly string[],
    signal: AbortSignal,
    options?: { readonly backlog?: number },
  ): AsyncIterable<readonly SinkRecord[]>
  /** Answers every request whose path is `path` or begins with `path + '/'`. */
  handle(
    path: string,
    handler: (request: IncomingMessage, response: ServerResponse) => Awaitable<void>,
  ): void
  /** Takes over the sockets of upgrade requests (WebSocket) for exactly this path. */
  onUpgrade(
    path: string,
    handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
  ): void
}

/** Named in `rest.extension.classes`. */
export interface RestExtension {
  configure(config: Props): void
  register(context: RestExtensionContext): Awaitable<void>
  close(): Awaitable<void>
}
