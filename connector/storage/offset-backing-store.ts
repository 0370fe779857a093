/**
 * Where source offsets are kept: a map from key to value, both JSON texts in the format of Kafka Connect's
 * offsets topic, e.g. `["mta",{"feed":"ace"}]` to `{"timestamp":1733000000}`.
 */
export interface OffsetBackingStore {
  /** Reads what is there. Called once, before anything else. */
  start(): Promise<void>
  /** Everything that is stored now. */
  entries(): Promise<ReadonlyMap<string, string>>
  /** Resolves once the changes are durable; null deletes. */
  set(changes: ReadonlyMap<string, string | null>): Promise<void>
  /** Waits for what is being written. */
  stop(): Promise<void>
}

/** Forgets everything with the process. */
export class MemoryOffsetBackingStore implements OffsetBackingStore {
  protected readonly values = new Map<string, string>()

  async start(): Promise<void> {}

  entries(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.values))
  }

  set(changes: ReadonlyMap<string, string | null>): Promise<void> {
    applyChanges(this.values, changes)
    return Promise.resolve()
  }

  async stop(): Promise<void> {}
}

/** Applies changes to a map; null deletes. */
export function applyChanges(
  values: Map<string, string>,
  changes: ReadonlyMap<string, string | null>,
): void {
  for (const [key, value] of changes) {
    if (value === null) values.delete(key)
    else values.set(key, value)
  }
}
