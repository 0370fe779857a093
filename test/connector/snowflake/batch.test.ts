import { describe, expect, test } from 'vitest'
import { BatchBuilder, halve } from '../../../connector/snowflake/batch.ts'

const textOf = (raw: Uint8Array): string => Buffer.from(raw).toString()

function write(builder: BatchBuilder, ...rows: readonly string[]): void {
  for (const [offset, row] of rows.entries()) {
    builder.tape.text(`${row}\n`)
    builder.rowEnded(offset, 1_000 + offset)
  }
}

describe('BatchBuilder', () => {
  test('hands out rows that stay as they are while others are written', () => {
    const builder = new BatchBuilder()
    write(builder, 'a', 'b')
    const first = builder.seal()
    write(builder, 'c')
    const second = builder.seal()
    expect([textOf(first.raw), textOf(second.raw)]).toEqual(['a\nb\n', 'c\n'])
    expect(first.batch).toEqual({
      rawBytes: 4,
      ends: [2, 4],
      offsets: [0, 1],
      firstOffset: 0,
      lastOffset: 1,
      oldestMs: 1_000,
    })
  })

  test('writes again where bytes were given back, unless they are far more than it needs', () => {
    const builder = new BatchBuilder()
    write(builder, 'x'.repeat(1_000_000))
    const large = builder.seal()
    builder.recycle(large)
    write(builder, 'y'.repeat(900_000))
    const next = builder.seal()
    write(builder, 'z')
    const reused = builder.seal()
    expect(Object.is(reused.raw.buffer, large.raw.buffer)).toBe(true)
    expect(textOf(next.raw) === `${'y'.repeat(900_000)}\n`).toBe(true)
    builder.recycle(reused)
    write(builder, 'small')
    builder.seal()
    write(builder, 'small')
    expect(builder.seal().raw.buffer.byteLength).toBeLessThan(100_000)
  })
})

describe('halve', () => {
  test('cuts between two rows, and a single row never', () => {
    const builder = new BatchBuilder()
    write(builder, 'one', 'two', 'three')
    const [left, right] = halve(builder.seal()) ?? []
    expect([textOf(left?.raw ?? new Uint8Array()), textOf(right?.raw ?? new Uint8Array())]).toEqual(
      ['one\ntwo\n', 'three\n'],
    )
    expect(left?.batch).toMatchObject({ rawBytes: 8, ends: [4, 8], firstOffset: 0, lastOffset: 1 })
    expect(right?.batch).toMatchObject({ rawBytes: 6, ends: [6], firstOffset: 2, lastOffset: 2 })
    expect(right && halve(right)).toBeUndefined()
  })
})
