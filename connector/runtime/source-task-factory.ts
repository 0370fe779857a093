import type { SourceTask } from '../api/source-task.ts'
import { SOURCE_CONNECTOR_CONFIG } from './connector-config.ts'
import { SourceRecordWriter } from './record-converters.ts'
import { SubmittedRecords } from './submitted-records.ts'
import { SourceTaskMetrics } from './task-metrics.ts'
import {
  clientOf,
  closeConverters,
  DEAD_LETTER_QUEUE_CONFIG,
  deadLetterQueue,
  endWith,
  newTask,
  type TaskSpec,
  taskConverters,
  taskOptions,
  toleranceOperator,
} from './task-parts.ts'
import { TopicCreation } from './topic-creation.ts'
import { transformationChain } from './transformation-chain.ts'
import type { WorkerServices } from './worker-services.ts'
import { taskName, type WorkerTask } from './worker-task.ts'
import { LOGGERS } from './logging.ts'
import { WorkerSourceTask } from './worker-source-task.ts'

/** Puts a source task together; it is ready to `run`. @throws ConfigError that names the key at fault. */
export async function createSourceTask(
  spec: TaskSpec,
  services: WorkerServices,
): Promise<WorkerTask> {
  const { clock, config, metrics, plugins } = services
  const log = services.logLevels.child({ ...spec.id }, LOGGERS.sourceTask)
  const connectorConfig = SOURCE_CONNECTOR_CONFIG.parse(spec.connectorProps)
  const labels = { connector: spec.id.connector, task: String(spec.id.task) }
  let task: WorkerSourceTask | undefined
  const onRetrying = (message: string | null): void => task?.reportRetrying(message)
  const converters = await taskConverters(spec.connectorProps, services, { log, onRetrying })
  const chain = await transformationChain(spec.connectorProps, plugins)
  const client = clientOf('producer', `connector-producer-${taskName(spec.id)}`, {
    spec,
    services,
    log,
  })
  const submitted = new SubmittedRecords()
  const taskMetrics = new SourceTaskMetrics(metrics.tasks, labels, {
    clock,
    active: () => submitted.unacked,
  })
  const life = new AbortController()
  const queue = deadLetterQueue(
    DEAD_LETTER_QUEUE_CONFIG.parse(spec.connectorProps),
    { spec, services, log },
    { metrics: taskMetrics, signal: life.signal },
  )
  const operator = toleranceOperator(spec, services, {
    config: connectorConfig,
    log,
    metrics: taskMetrics,
    reporters: queue === undefined ? [] : [queue.report],
    signal: life.signal,
    onRetrying,
  })
  const writer = new SourceRecordWriter(converters, chain, operator)
  task = new WorkerSourceTask(taskOptions(spec, services, log), {
    newTask: () => newTask(spec) as SourceTask,
    producer: services.clients.producer(client.config, client.events),
    writer,
    operator,
    submitted,
    offsets: services.offsets,
    metrics: taskMetrics,
    prepareQueue: async () => queue?.prepare(),
    topicCreation: config['topic.creation.enable']
      ? TopicCreation.of(spec.connectorProps)
      : undefined,
    admin: () => services.admin(spec.connectorProps),
    onTopic: spec.onTopic,
    offsetFlushIntervalMs: config['offset.flush.interval.ms'],
    offsetFlushTimeoutMs: config['offset.flush.timeout.ms'],
    // Leaves time to store the offsets of what was acknowledged.
    closeFlushTimeoutMs: Math.min(
      config['offset.flush.timeout.ms'],
      config['task.shutdown.graceful.timeout.ms'] * 0.8,
    ),
    closeConverters: async () => {
      chain.close()
      await queue?.close(task?.isCancelled === true ? 0 : config['offset.flush.timeout.ms'])
      await closeConverters(converters)
      metrics.tasks.remove(labels)
      metrics.forgetClient(client.id)
    },
  })
  endWith(task, life)
  return task
}
