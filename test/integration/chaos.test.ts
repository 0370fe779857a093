// A few rounds of what `npm run chaos` plays at length.
import { expect, test } from 'vitest'
import { runIcebergChaos } from '../chaos/iceberg.ts'
import { runSinkChaos } from '../chaos/sink.ts'
import { describeWith } from '../support/needs.ts'

describeWith(['python'], 'kill -9 in mid-stream', () => {
  test('of worker and endpoint loses and doubles no record', async () => {
    const told: string[] = []
    const result = await runSinkChaos({
      rounds: 3,
      seed: 20_261_123,
      broker: 'auto',
      keep: false,
      say: (text) => told.push(text),
    })
    expect(told.filter((line) => line.startsWith('round '))).toHaveLength(3)
    expect(result.records).toBeGreaterThan(1_000)
    expect({ lost: result.lost, doubled: result.doubled, wrong: result.wrong }).toEqual({
      lost: 0,
      doubled: 0,
      wrong: 0,
    })
  }, 300_000)

  test('of the table writer leaves a good table', async () => {
    const result = await runIcebergChaos({ rounds: 5, seed: 20_261_123 })
    expect(result).toMatchObject({ rounds: 5, violations: 0 })
  }, 300_000)
})
