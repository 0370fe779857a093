// Plugins under the names of Kafka's FileStream connectors, for replaying exchanges that were recorded with those.
import { ConfigDef, int, string } from '../../connector/api/config-def.ts'
import { SinkConnector, SourceConnector } from '../../connector/api/connector.ts'
import type { SourceRecord } from '../../connector/api/records.ts'
import { SinkTask } from '../../connector/api/sink-task.ts'
import { SourceTask } from '../../connector/api/source-task.ts'
import type { Props } from '../../connector/api/task-context.ts'
import type { PluginDescriptor } from '../../connector/runtime/plugins.ts'
import { textRecord, untilAborted } from './test-plugins.ts'

const VERSION = '4.3.1'
const SOURCE = new ConfigDef({
  file: string({ doc: 'Source filename.', importance: 'HIGH', default: '' }),
  topic: string({ doc: 'The topic to publish data to.', importance: 'HIGH' }),
  'batch.size': int({ doc: 'Records per poll.', importance: 'LOW', default: 2000 }),
})
const SINK = new ConfigDef({
  file: string({ doc: 'Destination filename.', importance: 'HIGH', default: '' }),
})

class FileStreamSourceTask extends SourceTask {
  #props: Props = {}
  #isRead = false
  override version(): string {
    return VERSION
  }
  override start(props: Props): void {
    this.#props = props
  }
  override poll(signal: AbortSignal): Promise<readonly SourceRecord[] | null> {
    if (this.#isRead) return untilAborted(signal)
    this.#isRead = true
    const record = textRecord('line', 14, this.#props['topic'])
    return Promise.resolve([
      { ...record, sourcePartition: { filename: this.#props['file'] ?? '' } },
    ])
  }
  override stop(): void {}
}

class FileStreamSinkTask extends SinkTask {
  override version(): string {
    return VERSION
  }
  override start(): void {}
  override put(): void {}
  override stop(): void {}
}

class FileStreamSource extends SourceConnector {
  #props: Props = {}
  override version(): string {
    return VERSION
  }
  override start(props: Props): void {
    this.#props = props
  }
  override taskClass(): new () => SourceTask {
    return FileStreamSourceTask
  }
  override taskConfigs(): readonly Props[] {
    return [this.#props]
  }
  override stop(): void {}
  override config(): ConfigDef {
    return SOURCE
  }
}

class FileStreamSink extends SinkConnector {
  #props: Props = {}
  override version(): string {
    return VERSION
  }
  override start(props: Props): void {
    this.#props = props
  }
  override taskClass(): new () => SinkTask {
    return FileStreamSinkTask
  }
  override taskConfigs(): readonly Props[] {
    return [this.#props]
  }
  override stop(): void {}
  override config(): ConfigDef {
    return SINK
  }
}

export const FILE_STREAM_PLUGINS: readonly PluginDescriptor[] = [
  {
    kind: 'source',
    className: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    version: VERSION,
    create: () => Promise.resolve(new FileStreamSource()),
  },
  {
    kind: 'sink',
    className: 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    version: VERSION,
    create: () => Promise.resolve(new FileStreamSink()),
  },
]
