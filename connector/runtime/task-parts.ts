// The parts that tasks of both kinds are put together from: converters, clients, error handling.
import { ConfigDef, type ConfigOf } from '../api/config-def.ts'
import type { SinkConnector, SourceConnector } from '../api/connector.ts'
import type { Converter, HeaderConverter } from '../api/converter.ts'
import type { SinkTask } from '../api/sink-task.ts'
import type { SourceTask } from '../api/source-task.ts'
import type { Props } from '../api/task-context.ts'
import { clientEvents, clientProperties } from './client-properties.ts'
import { SINK_CONNECTOR_CONFIG } from './connector-config.ts'
import { DeadLetterQueue } from './dead-letter-queue.ts'
import type { Logger } from './logging.ts'
import type { PluginEnvironment } from './plugins.ts'
import type { TaskConverters } from './record-converters.ts'
import type { TaskMetrics } from './task-metrics.ts'
import { type ErrorReporter, type ToleranceConfig, ToleranceOperator } from './tolerance.ts'
import { withoutPrefix } from './transformation-chain.ts'
import type { ClientKind, WorkerServices } from './worker-services.ts'
import { type TaskId, type TaskListener, taskName, type WorkerTask } from './worker-task.ts'

const KEYS = SINK_CONNECTOR_CONFIG.keys

/** A sink's settings of its dead-letter queue, which sources may have here too. */
export const DEAD_LETTER_QUEUE_CONFIG = new ConfigDef({
  'errors.deadletterqueue.topic.name': KEYS['errors.deadletterqueue.topic.name'],
  'errors.deadletterqueue.topic.replication.factor':
    KEYS['errors.deadletterqueue.topic.replication.factor'],
  'errors.deadletterqueue.context.headers.enable':
    KEYS['errors.deadletterqueue.context.headers.enable'],
})

type DeadLetterQueueConfig = ConfigOf<typeof DEAD_LETTER_QUEUE_CONFIG>

export interface TaskSpec {
  readonly id: TaskId
  readonly connector: SourceConnector | SinkConnector
  readonly kind: 'source' | 'sink'
  /** The connector's and the task's configuration, resolved. */
  readonly connectorProps: Props
  readonly taskProps: Props
  /** How many tasks the connector has. */
  readonly siblings: number
  readonly isPaused: boolean
  readonly listener: TaskListener
  readonly onTopic: (topic: string) => void
}

/** Aborts `life` when the task is asked to stop. */
export const endWith = (task: WorkerTask, life: AbortController): void =>
  task.onStop(() => life.abort())

/** What every task is given. */
export function taskOptions(spec: TaskSpec, services: WorkerServices, log: Logger) {
  return {
    id: spec.id,
    props: spec.taskProps,
    isPaused: spec.isPaused,
    clock: services.clock,
    random: services.random,
    log,
    listener: spec.listener,
    pluginMetrics: services.metrics.plugins.of(spec.id, log),
    watch: services.watch,
    callLimitMs: services.config['task.call.timeout.ms'],
  }
}

/** A new instance of the connector's task class. */
export function newTask(spec: TaskSpec): SourceTask | SinkTask {
  const TaskClass = spec.connector.taskClass()
  return new TaskClass()
}

export interface Making {
  readonly spec: TaskSpec
  readonly services: WorkerServices
  readonly log: Logger
}

/** A Kafka client's configuration, of which `java` is what was configured. */
export function clientOf(kind: ClientKind, clientId: string, { spec, services, log }: Making) {
  const java: Record<string, string> = {
    'client.id': clientId,
    ...(kind === 'consumer' && { 'group.id': `connect-${spec.id.connector}` }),
    ...clientProperties(kind, services.props, spec.connectorProps),
  }
  const { config, ignored } = services.translate(kind, java)
  if (ignored.length > 0) log.debug({ ignored }, 'Some client settings have no meaning here.')
  const id = java['client.id'] ?? clientId
  return { id, java, config, events: clientEvents(services, log) }
}

/** Where failed records go, if anywhere. */
export function deadLetterQueue(
  config: DeadLetterQueueConfig,
  making: Making,
  options: { readonly metrics: TaskMetrics; readonly signal: AbortSignal },
): DeadLetterQueue | undefined {
  const topic = config['errors.deadletterqueue.topic.name']
  if (topic === '') return undefined
  const { spec, services } = making
  const client = clientOf('producer', `connector-dlq-producer-${taskName(spec.id)}`, making)
  return new DeadLetterQueue({
    ...options,
    id: spec.id,
    topic,
    replicationFactor: config['errors.deadletterqueue.topic.replication.factor'],
    withHeaders: config['errors.deadletterqueue.context.headers.enable'],
    producer: services.clients.producer(client.config, client.events),
    admin: () => services.admin(spec.connectorProps),
    clock: services.clock,
  })
}

/** What decides about a task's failed records. */
export function toleranceOperator(
  spec: TaskSpec,
  services: WorkerServices,
  options: {
    readonly config: ToleranceConfig
    readonly log: Logger
    readonly metrics: TaskMetrics
    readonly reporters: readonly ErrorReporter[]
    readonly signal: AbortSignal
    readonly onRetrying: (message: string | null) => void
  },
): ToleranceOperator {
  const { clock, random } = services
  return new ToleranceOperator({
    ...options,
    clock,
    random,
    taskId: taskName(spec.id),
    callLimitMs: services.config['task.call.timeout.ms'],
  })
}

/** The converters of a connector: its own where it names one, else the worker's, each with the settings beside its name. */
export async function taskConverters(
  props: Props,
  services: Pick<WorkerServices, 'plugins' | 'props' | 'config'>,
  environment: Partial<PluginEnvironment> = {},
): Promise<TaskConverters> {
  const key = await converter('key', props, { services, environment })
  const value = await converter('value', props, { services, environment })
  const own = props['header.converter']
  const name = own ?? services.config['header.converter']
  const header: HeaderConverter = await services.plugins.create(
    'header_converter',
    name.trim(),
    'header.converter',
  )
  header.configure({
    ...withoutPrefix(own === undefined ? services.props : props, 'header.converter.'),
    'converter.type': 'header',
  })
  const { plugins, config } = services
  const classNames = {
    key: plugins.className('converter', (props['key.converter'] ?? config['key.converter']).trim()),
    value: plugins.className(
      'converter',
      (props['value.converter'] ?? config['value.converter']).trim(),
    ),
    header: plugins.className('header_converter', name.trim()),
  }
  return { key, value, header, classNames }
}

async function converter(
  which: 'key' | 'value',
  props: Props,
  {
    services,
    environment,
  }: {
    readonly services: Pick<WorkerServices, 'plugins' | 'props' | 'config'>
    readonly environment: Partial<PluginEnvironment>
  },
): Promise<Converter> {
  const property = `${which}.converter` as const
  const own = props[property]
  const name = own ?? services.config[property]
  const at = { key: property, environment }
  const instance = await services.plugins.create('converter', name.trim(), at)
  const settings = withoutPrefix(own === undefined ? services.props : props, `${property}.`)
  await instance.configure({ ...settings, 'converter.type': which }, which === 'key')
  return instance
}

export async function closeConverters(converters: TaskConverters): Promise<void> {
  await converters.key.close?.()
  await converters.value.close?.()
  converters.header.close?.()
}
