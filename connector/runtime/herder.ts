import type { ConfigKeyInfo, ConfigValue } from '../api/config-def.ts'
import { ConnectError } from '../api/errors.ts'
import type { SourceOffset, SourcePartition } from '../api/records.ts'
import type { ConnectorStatus } from '../api/rest-extension.ts'
import type { Props } from '../api/task-context.ts'
import type { Status } from '../storage/status-backing-store.ts'
import type { TargetState } from '../storage/config-backing-store.ts'
import type { PluginInfo } from './plugins.ts'

export type { Status, TargetState }

/** The request is wrong. Over REST: 400. */
export class BadRequestError extends ConnectError {
  static override readonly javaClassName =
    'org.apache.kafka.connect.runtime.rest.errors.BadRequestException'
}

/** The request does not fit the state of things now. Over REST: 409. */
export class ConflictError extends ConnectError {}

/** What a connector is configured with, and its tasks, as REST shows it. */
export interface ConnectorInfo {
  readonly name: string
  readonly config: Props
  readonly tasks: readonly { readonly connector: string; readonly task: number }[]
  readonly type: 'source' | 'sink' | 'unknown'
}

/** State of a connector and its tasks. */
export interface ConnectorStateInfo {
  readonly name: string
  readonly connector: Status
  readonly tasks: readonly (readonly [number, Status])[]
  readonly type: ConnectorInfo['type']
}

/** A key's definition (null: nobody defines it) and what is wrong with its value. */
export interface ConfigInfo {
  readonly definition: ConfigKeyInfo | null
  readonly value: ConfigValue
}

export interface ConfigInfos {
  readonly name: string
  readonly errorCount: number
  readonly groups: readonly string[]
  readonly configs: readonly ConfigInfo[]
}

/** A connector configuration as requested: null values are reported as errors. */
export type RequestedConfig = Readonly<Record<string, string | null>>

export type ConnectorOffset =
  | { readonly partition: SourcePartition | null; readonly offset: SourceOffset | null }
  | {
      readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number }
      readonly offset: { readonly kafka_offset: number } | null
    }

/**
 * Everything that can be asked of a worker, or of a cluster of them. The REST API is a thin layer over it. Answers
 * reject with `NotFoundError`, `AlreadyExistsError`, `BadRequestError` or `ConflictError` where the request is at fault.
 */
export interface Herder {
  /** Resolves when requests can be served. */
  start(): Promise<void>
  /** Stops all connectors and tasks, gracefully as long as that takes no longer than it may. */
  stop(): Promise<void>
  /** False while starting or stopping. */
  readonly isReady: boolean
  readonly kafkaClusterId: () => Promise<string | undefined>

  connectors(): readonly string[]
  connectorInfo(name: string): Promise<ConnectorInfo>
  connectorConfig(name: string): Promise<Props>
  taskConfigs(name: string): Promise<readonly Props[]>
  connectorStatus(name: string): ConnectorStateInfo
  taskStatus(name: string, task: number): Status
  activeTopics(name: string): readonly string[]
  resetActiveTopics(name: string): Promise<void>
  offsets(name: string): Promise<readonly ConnectorOffset[]>
  /** Returns the message for the client; null instead of offsets resets all. */
  alterOffsets(name: string, offsets: readonly ConnectorOffset[] | null): Promise<string>

  putConnectorConfig(
    name: string,
    config: RequestedConfig,
    options: { readonly allowReplace: boolean; readonly targetState?: TargetState },
  ): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }>
  patchConnectorConfig(name: string, patch: RequestedConfig): Promise<ConnectorInfo>
  deleteConnector(name: string): Promise<void>
  setTargetState(name: string, state: TargetState): Promise<void>
  restartConnector(name: string): Promise<void>
  restartConnectorAndTasks(
    name: string,
    options: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<ConnectorStateInfo>
  restartTask(name: string, task: number): Promise<void>

  plugins(connectorsOnly: boolean): readonly PluginInfo[]
  /** Of the version that is asked for, which must be the one that is there (KIP-891). */
  pluginConfig(plugin: string, version?: string): Promise<readonly ConfigKeyInfo[]>
  validate(config: RequestedConfig): Promise<ConfigInfos>

  /** The state of every connector, with task health. */
  statuses(): readonly ConnectorStatus[]
  /** Calls back after every change of a connector's or task's state or health; returns how to end it. */
  onStatus(listener: (status: ConnectorStatus) => void): () => void
}
