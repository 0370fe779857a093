import { describe, expect, test } from 'vitest'
import { topicIdOf } from '../../../connector/kafka/topic-id.ts'

describe('topic id', () => {
  test("is spelled as Kafka's tools print it, whatever its bytes are", () => {
    expect(topicIdOf('fUWPrTSpQuaScq/fJqdkrg')).toBe('fUWPrTSpQuaScq_fJqdkrg')
    expect(topicIdOf('+/+/AAAAAAAAAAAAAAAAAA==')).toBe('-_-_AAAAAAAAAAAAAAAAAA')
  })

  test('of a broker that has none is undefined', () => {
    expect(topicIdOf('AAAAAAAAAAAAAAAAAAAAAA')).toBeUndefined()
  })
})
