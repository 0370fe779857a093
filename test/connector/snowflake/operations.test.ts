import { describe, expect, test } from 'vitest'
import { SnowpipeError } from '../../../connector/snowflake/errors.ts'
import { Operations } from '../../../connector/snowflake/operations.ts'
import { TransportError } from '../../../connector/snowflake/http.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'

const AWAY = new TransportError('no answer')
const OTHERS_ROWS = new SnowpipeError('rows wait', { reaction: 'uncommitted', status: 409 })

function scene() {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const operations = new Operations({ clock, random: () => 0.5, backoffMaxMs: 1_000, signal })
  /** Fails with `error` after `ms`; returns how long that kind has lasted. */
  const failAfter = async (ms: number, error: Error): Promise<number> => {
    await clock.advance(ms)
    let lastedMs = -1
    const failed = (): void => {
      lastedMs = operations.troubleMs
    }
    operations.run(
      () => Promise.reject(error),
      () => {},
      failed,
    )
    await settled()
    return lastedMs
  }
  const succeed = async (): Promise<void> => {
    operations.run(
      () => Promise.resolve(),
      () => {},
      () => {},
    )
    await settled()
  }
  return { failAfter, succeed }
}

describe('Operations', () => {
  test('times failures of a kind from its first one, whatever failed before', async () => {
    const { failAfter } = scene()
    expect(await failAfter(0, AWAY)).toBe(0)
    expect(await failAfter(600_000, AWAY)).toBe(600_000)
    expect(await failAfter(1_000, OTHERS_ROWS)).toBe(0)
    expect(await failAfter(500, OTHERS_ROWS)).toBe(500)
    expect(await failAfter(500, OTHERS_ROWS)).toBe(1_000)
  })

  test('does not count an outage in between', async () => {
    const { failAfter } = scene()
    await failAfter(0, OTHERS_ROWS)
    await failAfter(500, OTHERS_ROWS)
    await failAfter(500, AWAY)
    await failAfter(60_000, AWAY)
    expect(await failAfter(500, OTHERS_ROWS)).toBe(500)
    expect(await failAfter(500, OTHERS_ROWS)).toBe(1_000)
  })

  test('begins again after a success', async () => {
    const { failAfter, succeed } = scene()
    await failAfter(0, OTHERS_ROWS)
    await failAfter(500, OTHERS_ROWS)
    await succeed()
    expect(await failAfter(500, OTHERS_ROWS)).toBe(0)
  })
})
