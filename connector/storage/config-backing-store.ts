import type { Props } from '../api/task-context.ts'

export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

/** Where connector configurations, task configurations and target states are kept. */
export interface ConfigBackingStore {
  start(): Promise<void>
  stop(): Promise<void>
  connectors(): readonly string[]
  connectorConfig(connector: string): Props | undefined
  /** Undefined until task configurations were stored once. */
  taskConfigs(connector: string): readonly Props[] | undefined
  /** The connector configuration that the task configurations were made from. */
  appliedConfig(connector: string): Props | undefined
  targetState(connector: string): TargetState
  /** Resolves once it is durable. `targetState` is stored first, so that a stopped connector never starts briefly. */
  putConnectorConfig(connector: string, config: Props, targetState?: TargetState): Promise<void>
  removeConnector(connector: string): Promise<void>
  putTaskConfigs(connector: string, configs: readonly Props[]): Promise<void>
  putTargetState(connector: string, state: TargetState): Promise<void>
}

interface Stored {
  config: Props
  applied: Props | undefined
  tasks: readonly Props[] | undefined
  target: TargetState
}

/** Forgets everything with the process, as Kafka Connect's standalone mode does. */
export class MemoryConfigBackingStore implements ConfigBackingStore {
  readonly #stored = new Map<string, Stored>()

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  connectors(): readonly string[] {
    return [...this.#stored.keys()].sort()
  }

  connectorConfig(connector: string): Props | undefined {
    return this.#stored.get(connector)?.config
  }

  taskConfigs(connector: string): readonly Props[] | undefined {
    return this.#stored.get(connector)?.tasks
  }

  appliedConfig(connector: string): Props | undefined {
    return this.#stored.get(connector)?.applied
  }

  targetState(connector: string): TargetState {
    return this.#stored.get(connector)?.target ?? 'STARTED'
  }

  putConnectorConfig(connector: string, config: Props, targetState?: TargetState): Promise<void> {
    const old = this.#stored.get(connector)
    this.#stored.set(connector, {
      config,
      applied: old?.applied,
      tasks: old?.tasks,
      target: targetState ?? old?.target ?? 'STARTED',
    })
    return Promise.resolve()
  }

  removeConnector(connector: string): Promise<void> {
    this.#stored.delete(connector)
    return Promise.resolve()
  }

  putTaskConfigs(connector: string, configs: readonly Props[]): Promise<void> {
    const stored = this.#stored.get(connector)
    if (stored !== undefined) {
      stored.tasks = configs
      stored.applied = stored.config
    }
    return Promise.resolve()
  }

  putTargetState(connector: string, state: TargetState): Promise<void> {
    const stored = this.#stored.get(connector)
    if (stored !== undefined) stored.target = state
    return Promise.resolve()
  }
}
