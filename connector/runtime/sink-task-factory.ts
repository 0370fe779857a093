import { ConnectError } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { ErrantRecordReporter, SinkTask } from '../api/sink-task.ts'
import { SINK_CONNECTOR_CONFIG, type SinkConnectorConfig, topicsRegex } from './connector-config.ts'
import { SinkRecordReader, type TaskConverters } from './record-converters.ts'
import { SinkPartitions } from './sink-partitions.ts'
import { SinkTaskMetrics, type TaskMetrics } from './task-metrics.ts'
import {
  clientOf,
  closeConverters,
  deadLetterQueue,
  endWith,
  type Making,
  newTask,
  type TaskSpec,
  taskConverters,
  taskOptions,
  toleranceOperator,
} from './task-parts.ts'
import type { ToleranceOperator } from './tolerance.ts'
import { type TransformationChain, transformationChain } from './transformation-chain.ts'
import type { WorkerServices } from './worker-services.ts'
import { LOGGERS } from './logging.ts'
import { WorkerSinkTask } from './worker-sink-task.ts'
import { taskName, type WorkerTask } from './worker-task.ts'

const DEFAULT_MAX_POLL_RECORDS = 500

/** Puts a sink task together; it is ready to `run`. @throws ConfigError that names the key at fault. */
export async function createSinkTask(
  spec: TaskSpec,
  services: WorkerServices,
): Promise<WorkerTask> {
  const { clock, config, metrics, plugins } = services
  const log = services.logLevels.child({ ...spec.id }, LOGGERS.sinkTask)
  const connectorConfig = SINK_CONNECTOR_CONFIG.parse(spec.connectorProps)
  const labels = { connector: spec.id.connector, task: String(spec.id.task) }
  let task: WorkerSinkTask | undefined
  const onRetrying = (message: string | null): void => task?.reportRetrying(message)
  const converters = await taskConverters(spec.connectorProps, services, { log, onRetrying })
  const chain = await transformationChain(spec.connectorProps, plugins)
  const client = clientOf('consumer', `connector-consumer-${taskName(spec.id)}`, {
    spec,
    services,
    log,
  })
  const partitions = new SinkPartitions()
  const life = new AbortController()
  const taskMetrics = new SinkTaskMetrics(metrics.tasks, labels, {
    clock,
    active: () => partitions.active,
    partitions: () => partitions.size,
    commitSequence: () => task?.commitSequence ?? 0,
  })
  const errors = errorHandling(
    connectorConfig,
    { spec, services, log },
    {
      converters,
      chain,
      metrics: taskMetrics,
      signal: life.signal,
      onRetrying,
    },
  )
  const { consumer, share } = makeConsumer(services, client, {
    log,
    siblings: spec.siblings,
    onConnected: (isConnected) => task?.reportConnected(isConnected),
  })
  task = new WorkerSinkTask(taskOptions(spec, services, log), {
    newTask: () => newTask(spec) as SinkTask,
    consumer,
    topics: subscription(connectorConfig),
    partitions,
    reader: errors.reader,
    operator: errors.operator,
    admin: () => services.admin(spec.connectorProps),
    reporter: errors.reporter,
    metrics: taskMetrics,
    prepareQueue: async () => errors.queue?.prepare(),
    onTopic: spec.onTopic,
    maxPollRecords: Number(client.java['max.poll.records'] ?? DEFAULT_MAX_POLL_RECORDS),
    offsetFlushIntervalMs: config['offset.flush.interval.ms'],
    offsetFlushTimeoutMs: config['offset.flush.timeout.ms'],
    closeParts: async () => {
      chain.close()
      await errors.queue?.close(task?.isCancelled === true ? 0 : config['offset.flush.timeout.ms'])
      await closeConverters(converters)
      share.release()
      metrics.tasks.remove(labels)
      metrics.forgetClient(client.id)
    },
  })
  endWith(task, life)
  return task
}

/** A consumer with its part of the worker's byte budget, which is to be given back. */
function makeConsumer(
  services: WorkerServices,
  client: ReturnType<typeof clientOf>,
  options: {
    readonly siblings: number
    readonly log: PluginLogger
    readonly onConnected: (isConnected: boolean) => void
  },
) {
  const share = services.consumerBudget.claim(options.siblings)
  const { bytes, overdrawnBytes } = share
  if (overdrawnBytes > 0) {
    const fields = { bytes, overdrawnBytes }
    options.log.warn(fields, 'consumer.buffer.bytes is used up; the task gets the least beyond it.')
  }
  const kilobytes = Math.max(1, Math.floor(share.bytes / 1024))
  try {
    const consumer = services.clients.consumer(
      { 'queued.max.messages.kbytes': kilobytes, ...client.config },
      {
        log: (level, message) => client.events.log(level, message),
        statistics: (statistics) => {
          client.events.statistics(statistics)
          options.onConnected(statistics.connections > 0)
        },
      },
    )
    return { consumer, share }
  } catch (error) {
    share.release()
    throw error
  }
}

interface ErrorHandlingOptions {
  readonly converters: TaskConverters
  readonly chain: TransformationChain
  readonly metrics: TaskMetrics
  readonly signal: AbortSignal
  readonly onRetrying: (message: string | null) => void
}

function errorHandling(config: SinkConnectorConfig, making: Making, options: ErrorHandlingOptions) {
  const { spec, services, log } = making
  const { converters, chain, metrics, signal, onRetrying } = options
  const queue = deadLetterQueue(config, making, { metrics, signal })
  const reporters = queue === undefined ? [] : [queue.report]
  const settings = { config, log, metrics, reporters, signal, onRetrying }
  const operator = toleranceOperator(spec, services, settings)
  const reader = new SinkRecordReader(converters, chain, operator)
  const isReporting = queue !== undefined || config['errors.log.enable']
  const reporter = isReporting ? errantRecordReporter(operator, reader) : undefined
  return { queue, operator, reader, reporter }
}

function errantRecordReporter(
  operator: ToleranceOperator,
  reader: SinkRecordReader,
): ErrantRecordReporter {
  const executingClass = 'org.apache.kafka.connect.sink.SinkTask' // As Kafka Connect's reporter says.
  return {
    report: (record, error) => {
      const message = reader.messageOf(record)
      if (message === undefined) {
        return Promise.reject(
          new ConnectError('Only records that were put to this task can be reported.'),
        )
      }
      return operator.failedAside({ stage: 'TASK_PUT', executingClass, message }, error)
    },
  }
}

const subscription = (config: SinkConnectorConfig): readonly string[] | RegExp =>
  config['topics.regex'] === '' ? config.topics : topicsRegex(config['topics.regex'])
