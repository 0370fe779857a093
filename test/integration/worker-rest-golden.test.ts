import { beforeAll, describe, expect, test } from 'vitest'
import { readExchanges } from '../conformance/exchanges.ts'
import { compareGolden, equalPart, type GoldenResult } from '../conformance/golden.ts'

const EQUAL_PART_MIN = 0.95

describe('the worker, asked what Apache Kafka Connect 4.3.1 was asked', () => {
  let result: GoldenResult
  beforeAll(async () => {
    const known = readExchanges()
    result = await compareGolden(
      known.filter(({ worker }) => worker.startsWith('standalone')),
      known,
    )
  }, 120_000)

  test('answers as it did, but for the deviations listed', () => {
    expect(result.unexplained).toEqual([])
    expect(result.compared).toBeGreaterThan(800)
  })

  test('answers at least 95 % of what is no mistake of the JVM worker exactly so', () => {
    expect(equalPart(result)).toBeGreaterThanOrEqual(EQUAL_PART_MIN)
  })
})
