import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../../connector/api/errors.ts'
import { Faults, parseFault } from '../../../../connector/local/snowflake/faults.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function faultsWith(body: Readonly<Record<string, unknown>>): Faults {
  const faults = new Faults(new FakeClock({ nowMs: 0 }))
  const parsed = parseFault(body)
  if ('fault' in parsed) faults.add(parsed.fault)
  return faults
}

const PIPE = '/v2/streaming/data/databases/D/schemas/S/pipes/P'

describe('Faults', () => {
  test('hit a channel by its whole name, in every call of it', () => {
    const faults = faultsWith({ kind: 'gone', match: { channel: 'f1' }, count: null })
    const isHit = (path: string): boolean => faults.ofCall('POST', path) !== undefined
    expect(isHit(`${PIPE}/channels/f10/rows`)).toBe(false)
    expect(isHit(`${PIPE}/channels/f10`)).toBe(false)
    expect(isHit(`${PIPE}/channels/f`)).toBe(false)
    expect(isHit(`${PIPE}/rows`)).toBe(false)
    expect(isHit(`${PIPE}/channels/f1/rows`)).toBe(true)
    expect(isHit(`${PIPE}/channels/f1`)).toBe(true)
  })

  test('know a channel by its name as clients escape it', () => {
    const faults = faultsWith({ kind: 'gone', match: { channel: 'a b/c' } })
    expect(faults.ofCall('PUT', `${PIPE}/channels/a%20b%2Fc`)).toBeDefined()
  })
})

describe('parseFault', () => {
  test('refuses a field that it does not know, by its name', () => {
    const body = { kind: 'status', stauts: 500 }
    expect(() => parseFault(body)).toThrow(ConfigError)
    expect(() => parseFault(body)).toThrow(
      /^stauts is not one of kind, match, count, ms, status, code, message/,
    )
    expect(() => parseFault({ kind: 'invalidate', match: { chanel: 'c' } })).toThrow(/match.chanel/)
  })
})
