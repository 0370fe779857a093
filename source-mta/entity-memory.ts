// What is remembered of the entities of one kind of one feed, from body to body and, in the source offset, from
// run to run.
import type { EntityIdentity } from './entity-kind.ts'

/** What is remembered of one entity. */
export interface Known<Decoded> {
  /** SHA-256, hex; of an entity that only an earlier run has seen its first `RESTORED_HASH_LENGTH` digits. */
  contentHash: string
  timestamp: number | undefined
  seenAtMs: number
  emittedAtMs: number
  /** Bodies in a row that were read and did not hold it. */
  missed: number
  /** False while no record of it was emitted: a rule rejects it, or nobody has asked for it. */
  isEmitted: boolean
  entityId: string
  identity: EntityIdentity
  /** What was decoded of it, while that is needed at every body. */
  decoded: Decoded | undefined
}

/** Digits of a hash that are kept from run to run: 48 bits, so that a change goes unseen once in 3e14. */
export const RESTORED_HASH_LENGTH = 12

/** Whether an entity has still the content that is remembered. */
export const isSameContent = (known: { readonly contentHash: string }, hash: string): boolean =>
  known.contentHash.length === RESTORED_HASH_LENGTH
    ? hash.startsWith(known.contentHash)
    : known.contentHash === hash

/** The entities of one kind by key. Bounded by what bodies hold, the vanish rules and the retention time. */
export class EntityMemory<Decoded> {
  readonly #known = new Map<string, Known<Decoded>>()

  get size(): number {
    return this.#known.size
  }

  get(key: string): Known<Decoded> | undefined {
    return this.#known.get(key)
  }

  set(key: string, known: Known<Decoded>): void {
    this.#known.set(key, known)
  }

  delete(key: string): void {
    this.#known.delete(key)
  }

  entries(): IterableIterator<[string, Known<Decoded>]> {
    return this.#known.entries()
  }

  /** Forgets what was not seen for so long. */
  forget(beforeMs: number): void {
    for (const [key, known] of this.#known) {
      if (known.seenAtMs < beforeMs) this.#known.delete(key)
    }
  }
}
