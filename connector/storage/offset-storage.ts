import { DataError } from '../api/errors.ts'
import type { SourceOffset, SourcePartition } from '../api/records.ts'
import type { OffsetBackingStore } from './offset-backing-store.ts'

/**
 * Source offsets by connector and source partition. Two partitions are one when they have the same fields,
 * in whatever order: keys that Java wrote (in the order of its hash map) are found and written again as they
 * were.
 */
export class OffsetStorage {
  readonly #store: OffsetBackingStore

  constructor(store: OffsetBackingStore) {
    this.#store = store
  }

  start(): Promise<void> {
    return this.#store.start()
  }

  stop(): Promise<void> {
    return this.#store.stop()
  }

  /** The offset of each partition in the order asked, undefined where there is none. */
  async offsets(
    connector: string,
    partitions: readonly SourcePartition[],
  ): Promise<(SourceOffset | undefined)[]> {
    const stored = new Map(
      (await this.#ofConnector(connector)).map((entry) => [entry.canonical, entry.offset]),
    )
    return partitions.map(
      (partition) => stored.get(canonicalKey(connector, partition)) ?? undefined,
    )
  }

  /** Every partition of a connector that has an offset. */
  async list(connector: string): Promise<(readonly [SourcePartition | null, SourceOffset])[]> {
    const entries = await this.#ofConnector(connector)
    return entries.flatMap(({ partition, offset }) =>
      offset === null ? [] : [[partition, offset] as const],
    )
  }

  /** Stores offsets, all or none; null forgets. @throws DataError when a value is no JSON scalar. */
  async write(
    connector: string,
    offsets: readonly (readonly [SourcePartition | null, SourceOffset | null])[],
  ): Promise<void> {
    const known = new Map(
      (await this.#ofConnector(connector)).map((entry) => [entry.canonical, entry.raw]),
    )
    const changes = new Map<string, string | null>()
    for (const [partition, offset] of offsets) {
      checkScalars(partition)
      checkScalars(offset)
      const canonical = canonicalKey(connector, partition)
      const raw = known.get(canonical) ?? JSON.stringify([connector, partition])
      changes.set(raw, offset === null ? null : JSON.stringify(offset))
    }
    await this.#store.set(changes)
  }

  async #ofConnector(connector: string): Promise<Entry[]> {
    const entries: Entry[] = []
    for (const [raw, value] of await this.#store.entries()) {
      const key = parseKey(raw)
      if (key === undefined || key[0] !== connector) continue
      entries.push({
        raw,
        canonical: canonicalKey(connector, key[1]),
        partition: key[1],
        offset: JSON.parse(value) as SourceOffset | null,
      })
    }
    return entries
  }
}

interface Entry {
  readonly raw: string
  readonly canonical: string
  readonly partition: SourcePartition | null
  readonly offset: SourceOffset | null
}

function parseKey(raw: string): [string, SourcePartition | null] | undefined {
  try {
    const key: unknown = JSON.parse(raw)
    if (!Array.isArray(key) || key.length !== 2 || typeof key[0] !== 'string') return undefined
    return [key[0], key[1] as SourcePartition | null]
  } catch {
    return undefined // Not a key of ours: Kafka Connect skips what it cannot read, too.
  }
}

const canonicalKey = (connector: string, partition: SourcePartition | null): string =>
  JSON.stringify([
    connector,
    partition === null ? null : Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])

function checkScalars(map: Readonly<Record<string, unknown>> | null): void {
  for (const [field, value] of Object.entries(map ?? {})) {
    if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) {
      throw new DataError(
        `Offsets may only contain primitive types as values, but field ${field} contains ${typeof value}`,
      )
    }
  }
}
