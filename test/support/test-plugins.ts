// Connectors for tests of the worker: what they do is given by the test.
import { ConfigDef, type ConfigValue, int, string } from '../../connector/api/config-def.ts'
import { SinkConnector, SourceConnector } from '../../connector/api/connector.ts'
import type { Converter } from '../../connector/api/converter.ts'
import type { SinkRecord, SourceRecord } from '../../connector/api/records.ts'
import { SinkTask } from '../../connector/api/sink-task.ts'
import { SourceTask } from '../../connector/api/source-task.ts'
import type { Awaitable, Props } from '../../connector/api/task-context.ts'
import {
  type TopicPartition,
  topicPartitionKey,
  type TopicPartitionOffset,
} from '../../connector/api/topic-partition.ts'
import type { PluginDescriptor } from '../../connector/runtime/plugins.ts'

/** What a test's plugins do; every field may be replaced while they run. */
export class Script {
  readonly calls: string[] = []
  readonly batches: SourceRecord[][] = []
  readonly put: SinkRecord[] = []
  readonly sourceTasks: SourceTask[] = []
  readonly sinkTasks: ScriptedSinkTask[] = []
  onConnectorStart: () => Awaitable<void> = () => {}
  onValidate: (props: Props) => Awaitable<readonly ConfigValue[]> = (props) =>
    CONFIG.validate(props)
  onConnectorStop: () => Awaitable<void> = () => {}
  onTaskStart: () => Awaitable<void> = () => {}
  onPoll: (signal: AbortSignal) => Awaitable<readonly SourceRecord[] | null> = (signal) =>
    this.batches.shift() ?? untilAborted(signal)
  onPut: (records: readonly SinkRecord[], task: ScriptedSinkTask) => Awaitable<void> = () => {}
  onPreCommit: (
    current: readonly TopicPartitionOffset[],
  ) => Awaitable<readonly TopicPartitionOffset[]> = (current) => current
  onOpen: (partitions: readonly TopicPartition[], task: ScriptedSinkTask) => Awaitable<void> =
    () => {}
  onTaskStop: () => Awaitable<void> = () => {}
  onAlterOffsets: () => Awaitable<boolean> = () => false
  onClose: () => Awaitable<void> = () => {}
  onCommit: () => Awaitable<void> = () => {}
}

/** Resolves with nothing once the signal aborts, as a poll that waits for new data. */
export const untilAborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })

export class ScriptedSinkTask extends SinkTask {
  readonly script: Script
  constructor(script: Script) {
    super()
    this.script = script
    script.sinkTasks.push(this)
  }
  get taskContext() {
    return this.context
  }
  override version(): string {
    return '1.0'
  }
  override start(): Awaitable<void> {
    this.script.calls.push('task start')
    return this.script.onTaskStart()
  }
  override async put(records: readonly SinkRecord[]): Promise<void> {
    await this.script.onPut(records, this)
    this.script.put.push(...records)
  }
  override lingerMs(): number {
    return 50
  }
  override async preCommit(
    current: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    await Promise.resolve()
    this.script.calls.push('preCommit')
    return this.script.onPreCommit(current)
  }
  override open(partitions: readonly TopicPartition[]): Awaitable<void> {
    this.script.calls.push(`open ${partitions.map(({ partition }) => partition).join()}`)
    return this.script.onOpen(partitions, this)
  }
  override close(partitions: readonly TopicPartition[]): Awaitable<void> {
    this.script.calls.push(`close ${partitions.map(({ partition }) => partition).join()}`)
    return this.script.onClose()
  }
  override stop(): Awaitable<void> {
    this.script.calls.push('task stop')
    return this.script.onTaskStop()
  }
}

class ScriptedSourceTask extends SourceTask {
  readonly #script: Script
  constructor(script: Script) {
    super()
    this.#script = script
    script.sourceTasks.push(this)
  }
  override version(): string {
    return '1.0'
  }
  override start(): Awaitable<void> {
    this.#script.calls.push('task start')
    return this.#script.onTaskStart()
  }
  override poll(signal: AbortSignal): Awaitable<readonly SourceRecord[] | null> {
    return this.#script.onPoll(signal)
  }
  override commit(): Awaitable<void> {
    this.#script.calls.push('commit')
    return this.#script.onCommit()
  }
  override commitRecord(record: SourceRecord): void {
    this.#script.calls.push(`commitRecord ${String(record.value)}`)
  }
  override stop(): Awaitable<void> {
    this.#script.calls.push('task stop')
    return this.#script.onTaskStop()
  }
}

const CONFIG = new ConfigDef({
  greeting: string({ doc: 'A text.', importance: 'LOW', default: 'hello' }),
  size: int({ doc: 'A number.', importance: 'LOW', default: 1, range: [0, 10] }),
})

const taskConfigs = (props: Props, max: number): readonly Props[] =>
  Array.from({ length: max }, (_, task) => ({ ...props, 'task.number': String(task) }))

/** A source and a sink that do what `script` says. */
export function scriptedPlugins(script: Script): readonly PluginDescriptor[] {
  class TestSource extends SourceConnector {
    #props: Props = {}
    override version(): string {
      return '1.0'
    }
    override start(props: Props): Awaitable<void> {
      this.#props = props
      script.calls.push('connector start')
      return script.onConnectorStart()
    }
    override validate(props: Props): Awaitable<readonly ConfigValue[]> {
      return script.onValidate(props)
    }
    override taskClass(): new () => SourceTask {
      return class TestSourceTask extends ScriptedSourceTask {
        constructor() {
          super(script)
        }
      }
    }
    override taskConfigs(max: number): readonly Props[] {
      return taskConfigs(this.#props, max)
    }
    override alterOffsets(): Awaitable<boolean> {
      return script.onAlterOffsets()
    }
    override stop(): Awaitable<void> {
      script.calls.push('connector stop')
      return script.onConnectorStop()
    }
    override config(): ConfigDef {
      return CONFIG
    }
  }

  class TestSink extends SinkConnector {
    #props: Props = {}
    override version(): string {
      return '1.0'
    }
    override start(props: Props): Awaitable<void> {
      this.#props = props
      return script.onConnectorStart()
    }
    override taskClass(): new () => SinkTask {
      return class TestSinkTask extends ScriptedSinkTask {
        constructor() {
          super(script)
        }
      }
    }
    override taskConfigs(max: number): readonly Props[] {
      return taskConfigs(this.#props, max)
    }
    override stop(): Awaitable<void> {
      return script.onConnectorStop()
    }
    override alterOffsets(
      _: Props,
      offsets: readonly (readonly [TopicPartition, number | null])[],
    ): boolean {
      const texts = offsets.map(([tp, offset]) => `${topicPartitionKey(tp)}=${offset}`)
      script.calls.push(`alterOffsets ${texts.join(' ')}`)
      return false
    }
    override config(): ConfigDef {
      return CONFIG
    }
  }

  return [
    {
      kind: 'source',
      className: 'test.TestSourceConnector',
      version: '1.0',
      create: () => Promise.resolve(new TestSource()),
    },
    {
      kind: 'sink',
      className: 'test.TestSinkConnector',
      version: '1.0',
      create: () => Promise.resolve(new TestSink()),
    },
    {
      kind: 'converter',
      className: 'test.SilentConverter',
      version: '1.0',
      create: () => Promise.resolve(SILENT_CONVERTER),
    },
  ]
}

/** Asks a registry that never answers. */
const SILENT_CONVERTER: Converter = {
  configure: () => {},
  config: () => new ConfigDef({}),
  fromConnectData: () => new Promise(() => {}),
  toConnectData: () => new Promise(() => {}),
}

/** A source record with a text as its value. */
export const textRecord = (value: string, offset: number, topic = 't'): SourceRecord => ({
  topic,
  kafkaPartition: undefined,
  keySchema: null,
  key: null,
  valueSchema: { type: 'STRING', optional: false },
  value,
  timestamp: undefined,
  headers: [],
  sourcePartition: { file: 'a' },
  sourceOffset: { position: offset },
})
