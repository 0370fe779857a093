import { describe, expect, test } from 'vitest'
import { uncommitted } from '../../../connector/cli/quickstart-drain.ts'

const METRICS = `# TYPE snowflake_sink_committed_offset gauge
snowflake_sink_committed_offset{topic="t",partition="0",connector="sink",task="0"} 9
snowflake_sink_committed_offset{topic="t",partition="2",connector="sink",task="1"} 4
snowflake_sink_committed_offset{topic="t",partition="1",connector="other",task="0"} 99
`

describe('what is left to drain', () => {
  test('is every record after the committed offset of its partition', () => {
    expect(uncommitted(METRICS, 'sink', [10, 0, 7])).toBe(2)
  })

  test('is a whole partition when nothing of it was committed', () => {
    expect(uncommitted(METRICS, 'sink', [10, 3, 5])).toBe(3)
  })

  test('is nothing when the table is ahead of what was asked', () => {
    expect(uncommitted(METRICS, 'sink', [4, 0, 0])).toBe(0)
  })
})
