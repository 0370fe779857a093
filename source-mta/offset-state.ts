// What is remembered of a feed's entities, as a text in its source offset: with it the next run emits what changed
// while nobody looked, and nothing else.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NOBODY } from './entity-kind.ts'
import { type EntityMemory, RESTORED_HASH_LENGTH } from './entity-memory.ts'

const VERSION = 1
/** More than any state that was written: `state.offset.max.bytes` and what deflate makes of it at best. */
const INFLATED_MAX = 64 * 1_024 * 1_024

type AnyMemory = EntityMemory<unknown>
type Memories = Readonly<Record<string, AnyMemory>>

export interface OffsetState {
  /** When the last body was received, milliseconds since the Unix epoch. */
  readonly atMs: number
  /** How many entities a body usually has. */
  readonly entities: number
}

/** The text of a state; null when it would be longer than `charsMax`. */
export function encodeState(
  { atMs, entities }: OffsetState,
  memories: Memories,
  charsMax: number,
): string | null {
  if (charsMax === 0) return null
  const kinds = Object.fromEntries(
    Object.entries(memories).map(([kind, memory]) => [
      kind,
      [...memory.entries()].map(([key, { contentHash, timestamp, isEmitted }]) => [
        key,
        contentHash.slice(0, RESTORED_HASH_LENGTH),
        timestamp ?? null,
        isEmitted ? 1 : 0,
      ]),
    ]),
  )
  const json = JSON.stringify({ version: VERSION, atMs, entities, kinds })
  const text = deflateRawSync(json, { level: 1 }).toString('base64')
  return text.length > charsMax ? null : text
}

/** Fills memories from a state's text; undefined, with the memories untouched, for what is none. */
export function restoreState(text: string, memories: Memories): OffsetState | undefined {
  const state = parse(text)
  if (state === undefined) return undefined
  const { atMs, entities, kinds } = state
  for (const [kind, memory] of Object.entries(memories)) {
    for (const row of kinds[kind] ?? []) {
      const [key, contentHash, timestamp, isEmitted] = row
      memory.set(key, {
        contentHash,
        timestamp: timestamp ?? undefined,
        seenAtMs: atMs,
        emittedAtMs: atMs,
        missed: 0,
        isEmitted: isEmitted === 1,
        entityId: '',
        identity: NOBODY,
        decoded: undefined,
      })
    }
  }
  return { atMs, entities }
}

type Row = readonly [key: string, hash: string, timestamp: number | null, isEmitted: number]
interface Parsed extends OffsetState {
  readonly kinds: Readonly<Record<string, readonly Row[]>>
}

function parse(text: string): Parsed | undefined {
  let value: unknown
  try {
    const bytes = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: INFLATED_MAX })
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    // Of another version, or altered by hand: as good as none, everything is emitted once more.
    return undefined
  }
  const state = value as Partial<Parsed> & { readonly version?: unknown }
  const isState =
    typeof value === 'object' &&
    state?.version === VERSION &&
    typeof state.atMs === 'number' &&
    typeof state.entities === 'number' &&
    typeof state.kinds === 'object' &&
    state.kinds !== null &&
    Object.values(state.kinds).every((rows) => Array.isArray(rows) && rows.every(isRow))
  return isState ? (state as Parsed) : undefined
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false
  const [key, hash, timestamp]: unknown[] = row
  return (
    typeof key === 'string' &&
    typeof hash === 'string' &&
    hash.length === RESTORED_HASH_LENGTH &&
    (timestamp === null || typeof timestamp === 'number')
  )
}
