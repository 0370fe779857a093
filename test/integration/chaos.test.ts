// A few rounds of what `npm run chaos` plays at length.
import { expect, test } from 'vitest'
import { runIcebergChaos } from '../chaos/iceberg.ts'
import { runSinkChaos } from '../chaos/sink.ts'
import { describeWith } from '../support/needs.ts'

describeWith(['python'], 'chaos', () => {
  test('kill -9 of worker and endpoint, and faults in mid-stream, lose and double no record', async () => {
    const told: string[] = []
    const result = await runSinkChaos({
      rounds: 10,
      seed: 20_261_123,
      from: 1,
      broker: 'auto',
      keep: false,
      say: (text) => told.push(text),
    })
    const counted = told.filter((line) =>
      /^round \d+: .*records \d+.*, lost 0, doubled 0/.test(line),
    )
    expect(counted).toHaveLength(10)
    expect(result.records).toBeGreaterThan(1_000)
    expect({ lost: result.lost, doubled: result.doubled, wrong: result.wrong }).toEqual({
      lost: 0,
      doubled: 0,
      wrong: 0,
    })
  }, 300_000)

  test('kill -9 of the table writer leaves a good table', async () => {
    const result = await runIcebergChaos({ rounds: 5, seed: 20_261_123 })
    expect(result).toMatchObject({ rounds: 5, violations: 0 })
  }, 300_000)
})
