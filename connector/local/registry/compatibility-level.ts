import type { AvroSchema } from './avro-schema.ts'
import { type Incompatibility, readerWriterIncompatibilities } from './compatibility.ts'

export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'FORWARD',
  'FULL',
  'BACKWARD_TRANSITIVE',
  'FORWARD_TRANSITIVE',
  'FULL_TRANSITIVE',
] as const
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number]

/** One incompatibility, and which of the two schemas was to read the other. */
export interface LevelIncompatibility extends Incompatibility {
  readonly reader: 'new' | 'old'
}

/** What is wrong between a new schema and one earlier version at this level; empty: nothing. */
export function incompatibilitiesAt(
  level: CompatibilityLevel,
  next: AvroSchema,
  previous: AvroSchema,
): readonly LevelIncompatibility[] {
  const problems: LevelIncompatibility[] = []
  if (level.startsWith('BACKWARD') || level.startsWith('FULL')) {
    const found = readerWriterIncompatibilities(next, previous)
    problems.push(...found.map((each) => ({ ...each, reader: 'new' as const })))
  }
  if (level.startsWith('FORWARD') || level.startsWith('FULL')) {
    const found = readerWriterIncompatibilities(previous, next)
    problems.push(...found.map((each) => ({ ...each, reader: 'old' as const })))
  }
  return problems
}

/** The earlier versions that a level is about, newest first. `versions` are oldest first. */
export function reachOf<T>(level: CompatibilityLevel, versions: readonly T[]): readonly T[] {
  if (level === 'NONE') return []
  const newestFirst = versions.toReversed()
  return level.endsWith('_TRANSITIVE') ? newestFirst : newestFirst.slice(0, 1)
}
