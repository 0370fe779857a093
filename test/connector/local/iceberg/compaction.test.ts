import { describe, expect, test } from 'vitest'
import { chooseFiles } from '../../../../connector/local/iceberg/compaction.ts'
import type { MeasuredFile } from '../../../../connector/local/iceberg/manifests.ts'

const none = new Map<number, never>()
const file = (bytes: number, i: number): MeasuredFile => ({
  path: String(i),
  rows: 1,
  bytes,
  columnSizes: none,
  valueCounts: none,
  nullValueCounts: none,
  nanValueCounts: none,
  lowerBounds: none,
  upperBounds: none,
})
const MB = 1024 * 1024
const choose = (...sizes: number[]) =>
  chooseFiles(sizes.map(file), { compactFiles: 4, smallFileBytes: 64 * MB }).map((f) => f.path)

describe('compaction chooses', () => {
  test('nothing below the limit, and never files that are large enough', () => {
    expect(choose(1, 1, 1)).toEqual([])
    expect(choose(64 * MB, 64 * MB, 65 * MB, 70 * MB, 80 * MB)).toEqual([])
  })

  test('files of one size only, so that large ones are not rewritten for every few small ones', () => {
    expect(choose(30 * MB, 1, 2, 3, 4)).toEqual(['1', '2', '3', '4'])
    expect(choose(30 * MB, 1, 2, 3, MB)).toEqual([])
  })

  test('no more than makes a file of reasonable size', () => {
    expect(choose(60 * MB, 60 * MB, 60 * MB, 60 * MB, 60 * MB)).toEqual(['0', '1'])
  })

  test('so that a stream of equal files rewrites each byte a few times only', () => {
    let files: MeasuredFile[] = []
    let rewritten = 0
    for (let i = 0; i < 20_000; i++) {
      files.push(file(10_000, i))
      const chosen = chooseFiles(files, { compactFiles: 16, smallFileBytes: 64 * MB })
      if (chosen.length === 0) continue
      const bytes = chosen.reduce((sum, f) => sum + f.bytes, 0)
      rewritten += bytes
      files = [...files.filter((f) => !chosen.includes(f)), file(bytes, i)]
    }
    expect(files.length).toBeLessThan(64)
    expect(rewritten / (20_000 * 10_000)).toBeLessThan(5)
  })
})
