import type { Clock, Random } from '../api/clock.ts'
import type { Props } from '../api/task-context.ts'
import type { Admin, ClientConfig, KafkaClients } from '../kafka/client.ts'
import type { OffsetStorage } from '../storage/offset-storage.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { ConfigTransformer } from './config-transformer.ts'
import type { EventLoopWatch } from './event-loop-watch.ts'
import type { Logger, LogLevels } from './logging.ts'
import type { WorkerMetrics } from './metrics.ts'
import type { Plugins } from './plugins.ts'
import type { WorkerConfig } from './worker-config.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'

/** Turns Java client properties into the client library's. `ignored` names what has no meaning there. */
export type TranslateClientConfig = (
  kind: ClientKind,
  javaProps: Props,
) => { readonly config: ClientConfig; readonly ignored: readonly string[] }

/** What a worker is made of; made once, shared by all its parts. */
export interface WorkerServices {
  readonly workerId: string
  readonly config: WorkerConfig
  /** `connect.properties`, config providers resolved. */
  readonly props: Props
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly logLevels: LogLevels
  readonly plugins: Plugins
  readonly clients: KafkaClients
  readonly translate: TranslateClientConfig
  readonly transformer: ConfigTransformer
  readonly offsets: OffsetStorage
  readonly metrics: WorkerMetrics
  readonly consumerBudget: ByteBudget
  readonly watch: EventLoopWatch
  /** The worker's admin client, connected when first asked for, or one with a connector's overrides. */
  readonly admin: (connector?: Props) => Promise<Admin>
}
