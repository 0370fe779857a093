// Plugins under the names of those that come with Kafka, for replaying exchanges that were recorded with them.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigDef, int, string } from '../../connector/api/config-def.ts'
import { SinkConnector, SourceConnector } from '../../connector/api/connector.ts'
import { ConnectError } from '../../connector/api/errors.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from '../../connector/api/records.ts'
import { SinkTask } from '../../connector/api/sink-task.ts'
import { SourceTask } from '../../connector/api/source-task.ts'
import type { Props } from '../../connector/api/task-context.ts'
import type { PluginDescriptor } from '../../connector/runtime/plugins.ts'
import { textRecord, untilAborted } from './test-plugins.ts'

const VERSION = '4.3.1'
const SOURCE = new ConfigDef({
  file: string<string | undefined>({
    doc: 'Source filename. If not specified, the standard input will be used',
    importance: 'HIGH',
    default: undefined,
  }),
  topic: string({ doc: 'The topic to publish data to', importance: 'HIGH' }),
  'batch.size': int({
    doc: 'The maximum number of records the source task can read from the file each time it is polled',
    importance: 'LOW',
    default: 2000,
  }),
})
const SINK = new ConfigDef({
  file: string<string | undefined>({
    doc: 'Destination filename. If not specified, the standard output will be used',
    importance: 'HIGH',
    default: undefined,
  }),
})

type Alterations = readonly (readonly [SourcePartition, SourceOffset | null])[]

/** Reads a file of the folder line by line, from where it was stored. */
const fileStreamSourceTask = (folder: string) =>
  class FileStreamSourceTask extends SourceTask {
    #props: Props = {}
    override version(): string {
      return VERSION
    }
    override start(props: Props): void {
      this.#props = props
    }
    override async poll(signal: AbortSignal): Promise<readonly SourceRecord[] | null> {
      const { file = '', topic } = this.#props
      const sourcePartition = { filename: file }
      const records = await this.#unread(path.resolve(folder, file), sourcePartition)
      this.#isRead = true
      if (records.length === 0) return untilAborted(signal)
      return records.map(([line, position]) => ({
        ...textRecord(line, position, topic),
        sourcePartition,
      }))
    }
    override stop(): void {}

    #isRead = false
    async #unread(file: string, partition: SourcePartition): Promise<[string, number][]> {
      if (this.#isRead) return []
      const [stored] = await this.context.offsetStorageReader.offsets([partition])
      const start = typeof stored?.['position'] === 'number' ? stored['position'] : 0
      const content = await readFile(file, 'utf8').catch(() => '') // A file that is not there yet.
      let position = start
      return content
        .slice(start)
        .split('\n')
        .slice(0, -1)
        .map((line) => {
          position += line.length + 1
          return [line, position]
        })
    }
  }

class FileStreamSinkTask extends SinkTask {
  override version(): string {
    return VERSION
  }
  override start(): void {}
  override put(): void {}
  override stop(): void {}
}

const fileStreamSource = (folder: string) => {
  const Task = fileStreamSourceTask(folder)
  return class FileStreamSource extends SourceConnector {
    #props: Props = {}
    override version(): string {
      return VERSION
    }
    override start(props: Props): void {
      this.#props = props
    }
    override taskClass(): new () => SourceTask {
      return Task
    }
    override taskConfigs(): readonly Props[] {
      return [this.#props]
    }
    override stop(): void {}
    override config(): ConfigDef {
      return SOURCE
    }
    override alterOffsets(_config: Props, offsets: Alterations): boolean {
      for (const [partition, offset] of offsets) checkAlteration(partition, offset)
      return true
    }
  }
}

function checkAlteration(partition: SourcePartition, offset: SourceOffset | null): void {
  if (offset === null) return
  if (!('position' in offset)) {
    throw new ConnectError("Offset objects should either be null or contain the key 'position'")
  }
  const { position } = offset
  if (!Number.isInteger(position)) {
    throw new ConnectError(
      "The value for the 'position' key in the offset is expected to be a Long value",
    )
  }
  if (Number(position) < 0) {
    throw new ConnectError(
      "The value for the 'position' key in the offset should be a non-negative value",
    )
  }
  if (!('filename' in partition)) {
    throw new ConnectError("Partition objects should contain the key 'filename'")
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
  override alterOffsets(): boolean {
    return true
  }
}

class IdleSourceTask extends SourceTask {
  override version(): string {
    return VERSION
  }
  override start(): void {}
  override poll(signal: AbortSignal): Promise<null> {
    return untilAborted(signal)
  }
  override stop(): void {}
}

class IdleSource extends SourceConnector {
  override version(): string {
    return VERSION
  }
  override start(): void {}
  override taskClass(): new () => SourceTask {
    return IdleSourceTask
  }
  override taskConfigs(): readonly Props[] {
    return [{}]
  }
  override stop(): void {}
  override config(): ConfigDef {
    return new ConfigDef({})
  }
}

class IdleSink extends SinkConnector {
  override version(): string {
    return VERSION
  }
  override start(): void {}
  override taskClass(): new () => SinkTask {
    return FileStreamSinkTask
  }
  override taskConfigs(): readonly Props[] {
    return [{}]
  }
  override stop(): void {}
  override config(): ConfigDef {
    return new ConfigDef({})
  }
}

const KAFKA = 'org.apache.kafka.connect'

const source = (className: string, create: () => SourceConnector): PluginDescriptor => ({
  kind: 'source',
  className: `${KAFKA}.${className}`,
  version: VERSION,
  create: () => Promise.resolve(create()),
})
const sink = (className: string, create: () => SinkConnector): PluginDescriptor => ({
  kind: 'sink',
  className: `${KAFKA}.${className}`,
  version: VERSION,
  create: () => Promise.resolve(create()),
})

/** The connectors of a plain Apache Kafka; files are those of `folder`. */
export function fileStreamPlugins(folder: string): readonly PluginDescriptor[] {
  const Source = fileStreamSource(folder)
  return [
    source('file.FileStreamSourceConnector', () => new Source()),
    sink('file.FileStreamSinkConnector', () => new FileStreamSink()),
    source('tools.MockSourceConnector', () => new IdleSource()),
    source('tools.SchemaSourceConnector', () => new IdleSource()),
    source('tools.VerifiableSourceConnector', () => new IdleSource()),
    sink('tools.MockSinkConnector', () => new IdleSink()),
    sink('tools.VerifiableSinkConnector', () => new IdleSink()),
  ]
}
