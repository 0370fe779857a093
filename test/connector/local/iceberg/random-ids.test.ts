import { describe, expect, test } from 'vitest'
import type { SnapshotJson } from '../../../../connector/local/iceberg/metadata.ts'
import { randomSnapshotId } from '../../../../connector/local/iceberg/random-ids.ts'

/** Gives these numbers one after the other. */
const drawing = (...numbers: number[]): (() => number) => {
  const left = [...numbers]
  return () => left.shift() ?? 0.5
}
const taken = (id: number): SnapshotJson => ({
  'snapshot-id': id,
  'sequence-number': 1,
  'timestamp-ms': 0,
  'manifest-list': '',
  summary: {},
  'schema-id': 0,
})

describe('a snapshot id', () => {
  test('is a 64-bit integer that readers of JSON keep, however the dice fall', () => {
    const greatest = randomSnapshotId(drawing(1 - Number.EPSILON / 2), [])
    expect(greatest).toBeGreaterThan(2 ** 52)
    expect(BigInt(JSON.stringify(greatest))).toBeLessThanOrEqual(BigInt(Number.MAX_SAFE_INTEGER))
    expect(randomSnapshotId(drawing(0, 0.5), [])).toBeGreaterThan(1)
  })

  test('is none that the table has', () => {
    const first = randomSnapshotId(drawing(0.25), [])
    expect(randomSnapshotId(drawing(0.25, 0.75), [taken(first)])).not.toBe(first)
  })
})
