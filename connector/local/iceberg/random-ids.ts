import type { Random } from '../../api/clock.ts'
import type { SnapshotJson } from './metadata.ts'

/** A version 4 UUID. */
export function randomUuid(random: Random): string {
  const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256)))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [8, 12, 16, 20, 32]
    .map((end, i, ends) => hex.slice(i === 0 ? 0 : ends[i - 1], end))
    .join('-')
}

/** An id that no snapshot has, of at most 53 bits: JSON readers everywhere hold it exactly. */
export function randomSnapshotId(random: Random, taken: readonly SnapshotJson[]): number {
  for (;;) {
    const id = Math.floor(random() * Number.MAX_SAFE_INTEGER) + 1
    if (id > 1 && !taken.some((snapshot) => snapshot['snapshot-id'] === id)) return id
  }
}
