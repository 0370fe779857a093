import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SubmittedRecords } from '../../../connector/runtime/submitted-records.ts'

describe('SubmittedRecords', () => {
  test('an offset becomes storable when everything before it is acknowledged', () => {
    const records = new SubmittedRecords()
    const a = { file: 'a' }
    const [first, second] = [1, 2].map((position) => records.submit(a, { position }))
    if (first === undefined || second === undefined) throw new Error('unreachable')
    records.ack(second)
    expect(records.takeCommittable()).toEqual([])
    records.ack(first)
    expect(records.takeCommittable()).toEqual([[a, { position: 2 }]])
    expect(records.takeCommittable()).toEqual([])
    expect(records.unacked).toBe(0)
  })

  test('partitions do not wait for each other, and equal ones are one whatever the order of their fields', () => {
    const records = new SubmittedRecords()
    records.submit({ x: 1, y: 2 }, { n: 1 })
    const other = records.submit({ x: 2, y: 2 }, { n: 5 })
    const same = records.submit({ y: 2, x: 1 }, { n: 2 })
    records.ack(other)
    records.ack(same)
    expect(records.takeCommittable()).toEqual([[{ x: 2, y: 2 }, { n: 5 }]])
  })

  test('never stores an offset beyond an unacknowledged record, and in the end stores the last', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('submit' as const), lane: fc.nat(3) }),
      fc.record({ kind: fc.constant('ack' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('take' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const records = new SubmittedRecords()
        const sent: {
          lane: number
          n: number
          isAcked: boolean
          handle: ReturnType<SubmittedRecords['submit']>
        }[] = []
        const stored = new Map<number, number>()
        const take = (): void => {
          for (const [partition, offset] of records.takeCommittable()) {
            const lane = Number(partition['lane'])
            const n = Number(offset['n'])
            expect(n).toBeGreaterThan(stored.get(lane) ?? -1)
            const before = sent.filter((record) => record.lane === lane && record.n <= n)
            expect(before.every(({ isAcked }) => isAcked)).toBe(true)
            stored.set(lane, n)
          }
        }
        for (const [n, next] of steps.entries()) {
          if (next.kind === 'submit') {
            const { lane } = next
            sent.push({ lane, n, isAcked: false, handle: records.submit({ lane }, { n }) })
          } else if (next.kind === 'ack' && sent.length > 0) {
            const record = sent[next.pick % sent.length]
            if (record === undefined) continue
            records.ack(record.handle)
            record.isAcked = true
          } else take()
        }
        expect(records.unacked).toBe(sent.filter(({ isAcked }) => !isAcked).length)
        for (const record of sent) {
          records.ack(record.handle)
          record.isAcked = true
        }
        take()
        for (const lane of new Set(sent.map((record) => record.lane))) {
          expect(stored.get(lane)).toBe(sent.findLast((record) => record.lane === lane)?.n)
        }
      }),
    )
  })
})
