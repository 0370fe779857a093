import { describe, expect, test } from 'vitest'
import { type Exchange, readExchanges } from './exchanges.ts'
import { compareGolden, equalPart, summary } from './golden.ts'

const RECORDED = readExchanges()
const some = (...ids: readonly string[]): readonly Exchange[] =>
  RECORDED.filter(({ id, worker }) => worker === 'standalone' && ids.includes(id))

const changed = (
  exchanges: readonly Exchange[],
  answer: Partial<Exchange['answer']>,
): readonly Exchange[] =>
  exchanges.map((exchange) => ({ ...exchange, answer: { ...exchange.answer, ...answer } }))

describe('compareGolden', () => {
  test('counts what is equal and what deviates by a listed rule', async () => {
    const result = await compareGolden(some('health', 'path.13', 'create.nobody'), RECORDED)
    expect(summary(result)).toBe('golden: 3 compared, 1 equal, 2 deviate as listed, 0 unexplained')
    expect(equalPart(result)).toBe(1) // Both deviations are mistakes of the JVM worker.
  })

  test.each([
    ['another code', { status: 201 }],
    ['another header', { headers: { 'content-type': 'text/plain' } }],
    ['another body', { body: '{"status":"healthy","message":"I am fine."}' }],
    [
      'one field more',
      {
        body: '{"status":"healthy","message":"Worker has completed startup and is ready to handle requests.","x":1}',
      },
    ],
  ])('finds %s', async (_what, answer) => {
    const result = await compareGolden(changed(some('health'), answer), RECORDED)
    expect(result.unexplained).toHaveLength(1)
    expect(equalPart(result)).toBe(0)
  })

  test('compares a distributed worker only where both modes answer alike', async () => {
    const distributed = some('health', 'unknown.GET/status').map((exchange) => ({
      ...exchange,
      worker: 'distributed',
    }))
    const [health, ...rest] = distributed
    const other = changed(health === undefined ? [] : [health], { status: 503 })
    const result = await compareGolden([...other, ...rest], RECORDED)
    expect(result).toMatchObject({ compared: 1, equal: 1, leftOut: 1 })
  })
})
