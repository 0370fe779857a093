/** What is known of a connector's or a task's state. */
export interface Status<State extends string = string> {
  readonly state: State
  readonly workerId: string
  readonly trace: string | undefined
  readonly version: string | undefined
  /** When the state was entered, milliseconds since the Unix epoch. */
  readonly sinceMs: number
}

/** Where states and the topics that connectors use are published, for every worker to see. */
export interface StatusBackingStore {
  putConnector(connector: string, status: Status): void
  putTask(connector: string, task: number, status: Status): void
  deleteConnector(connector: string): void
  deleteTask(connector: string, task: number): void
  connector(connector: string): Status | undefined
  task(connector: string, task: number): Status | undefined
  /** By task id, ascending. */
  tasks(connector: string): readonly (readonly [number, Status])[]
  connectors(): readonly string[]
  putTopic(connector: string, topic: string): void
  topics(connector: string): readonly string[]
  deleteTopics(connector: string): void
}

const TOPICS_MAX = 10_000

/** Forgets everything with the process, as Kafka Connect's standalone mode does. */
export class MemoryStatusBackingStore implements StatusBackingStore {
  readonly #connectors = new Map<string, Status>()
  readonly #tasks = new Map<string, Map<number, Status>>()
  readonly #topics = new Map<string, Set<string>>()

  putConnector(connector: string, status: Status): void {
    this.#connectors.set(connector, status)
  }

  putTask(connector: string, task: number, status: Status): void {
    const tasks = this.#tasks.get(connector) ?? new Map<number, Status>()
    this.#tasks.set(connector, tasks.set(task, status))
  }

  deleteConnector(connector: string): void {
    this.#connectors.delete(connector)
  }

  deleteTask(connector: string, task: number): void {
    const tasks = this.#tasks.get(connector)
    tasks?.delete(task)
    if (tasks?.size === 0) this.#tasks.delete(connector)
  }

  connector(connector: string): Status | undefined {
    return this.#connectors.get(connector)
  }

  task(connector: string, task: number): Status | undefined {
    return this.#tasks.get(connector)?.get(task)
  }

  tasks(connector: string): readonly (readonly [number, Status])[] {
    return [...(this.#tasks.get(connector) ?? [])].sort(([a], [b]) => a - b)
  }

  connectors(): readonly string[] {
    return [...this.#connectors.keys()]
  }

  putTopic(connector: string, topic: string): void {
    const topics = this.#topics.get(connector) ?? new Set<string>()
    if (topics.size < TOPICS_MAX) topics.add(topic)
    this.#topics.set(connector, topics)
  }

  topics(connector: string): readonly string[] {
    return [...(this.#topics.get(connector) ?? [])].sort()
  }

  deleteTopics(connector: string): void {
    this.#topics.delete(connector)
  }
}
