import type { Clock } from '../../connector/api/clock.ts'
import type { Props, TaskHealth } from '../../connector/api/task-context.ts'
import { BUILT_IN_PLUGINS } from '../../connector/cli/plugins.ts'
import { ByteBudget } from '../../connector/runtime/byte-budget.ts'
import { ConfigTransformer } from '../../connector/runtime/config-transformer.ts'
import { EventLoopWatch } from '../../connector/runtime/event-loop-watch.ts'
import { createLogger, LogLevels } from '../../connector/runtime/logging.ts'
import { WorkerMetrics } from '../../connector/runtime/metrics.ts'
import { type PluginDescriptor, Plugins } from '../../connector/runtime/plugins.ts'
import { createSinkTask } from '../../connector/runtime/sink-task-factory.ts'
import { createSourceTask } from '../../connector/runtime/source-task-factory.ts'
import type { TaskState } from '../../connector/runtime/task-state.ts'
import { parseWorkerConfig } from '../../connector/runtime/worker-config.ts'
import type { WorkerServices } from '../../connector/runtime/worker-services.ts'
import type { WorkerTask } from '../../connector/runtime/worker-task.ts'
import { MemoryOffsetBackingStore } from '../../connector/storage/offset-backing-store.ts'
import { OffsetStorage } from '../../connector/storage/offset-storage.ts'
import { type FakeKafka, noEvents } from './fake-kafka.ts'
import { type Script, scriptedPlugins } from './test-plugins.ts'

const PROPS = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'offset.storage.file.filename': 'unused',
  'offset.flush.interval.ms': '10000',
} as const

const half = (): number => 0.5

/** What a worker is made of, in memory. */
export function testServices(options: {
  readonly kafka: FakeKafka
  readonly script: Script
  readonly clock: Clock
  readonly properties?: Props
  readonly plugins?: readonly PluginDescriptor[]
}): WorkerServices {
  const { clock, kafka, script } = options
  const props: Props = { ...PROPS, ...options.properties }
  const config = parseWorkerConfig(props)
  const log = createLogger('OFF')
  return {
    workerId: '127.0.0.1:8083',
    config,
    props,
    clock,
    random: half,
    log,
    logLevels: new LogLevels(log, 'OFF'),
    plugins: new Plugins(
      [...(options.plugins ?? []), ...scriptedPlugins(script), ...BUILT_IN_PLUGINS],
      {
        clock,
        random: half,
        log,
        environment: {},
      },
    ),
    clients: kafka,
    translate: (_kind, java) => ({ config: java, ignored: [] }),
    transformer: new ConfigTransformer(new Map()),
    offsets: new OffsetStorage(new MemoryOffsetBackingStore()),
    metrics: new WorkerMetrics(),
    consumerBudget: new ByteBudget(config['consumer.buffer.bytes']),
    watch: new EventLoopWatch({
      clock,
      log,
      limitMs: config['event.loop.block.limit.ms'],
      outside: undefined,
    }),
    admin: () => Promise.resolve(kafka.admin({}, noEvents)),
  }
}

/** What a task told its worker. */
export interface Told {
  readonly states: TaskState[]
  readonly errors: unknown[]
  readonly health: (TaskHealth | null)[]
  readonly topics: string[]
}

/** A task of the test's plugins, and what it told. */
export async function makeTask(
  kind: 'source' | 'sink',
  services: WorkerServices,
  props: Props = {},
): Promise<{ readonly task: WorkerTask; readonly told: Told }> {
  const told: Told = { states: [], errors: [], health: [], topics: [] }
  const className = kind === 'source' ? 'TestSource' : 'TestSink'
  const { connector } = await services.plugins.connector(className)
  const connectorProps = {
    name: 'x',
    'connector.class': className,
    ...(kind === 'sink' && { topics: 't' }),
    ...props,
  }
  const create = kind === 'source' ? createSourceTask : createSinkTask
  const task = await create(
    {
      id: { connector: 'x', task: 0 },
      connector,
      kind,
      connectorProps,
      taskProps: connectorProps,
      siblings: 1,
      isPaused: false,
      listener: {
        onState: (state, error) => {
          told.states.push(state)
          if (error !== undefined) told.errors.push(error)
        },
        onHealth: (health) => told.health.push(health),
      },
      onTopic: (topic) => told.topics.push(topic),
    },
    services,
  )
  return { task, told }
}
