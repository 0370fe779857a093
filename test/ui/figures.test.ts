import { describe, expect, test } from 'vitest'
import { recentRate, shownValue } from '../../ui/src/status/figures.ts'

const sample = (recordsPerSecond: number) => ({
  name: 'in',
  recordsTotal: 0,
  recordsLastHour: 0,
  recordsPerSecond,
  lag: null,
})

describe('recentRate', () => {
  test('is the mean of half a minute, so that a burst at each poll does not show as nothing', () => {
    expect(recentRate([])).toBe(0)
    expect(recentRate([sample(150), sample(0), sample(0)])).toBe(50)
    const burst = Array.from({ length: 60 }, (_, n) => sample(n === 44 ? 3_000 : n > 44 ? 10 : 900))
    expect(recentRate(burst)).toBe(10)
  })
})

describe('shownValue', () => {
  test.each([
    'mta.bus.api.key',
    'mta.api.key',
    'snowflake.private.key',
    'snowflake.private.key.passphrase',
    'sasl.jaas.config',
    'value.converter.basic.auth.user.info',
    'ssl.keystore.password',
    'feed.x.auth',
  ])('hides the value of %s', (key) => {
    expect(shownValue(key, 'abc')).toBe('[hidden]')
  })

  test('shows what is no secret, and references to where one is', () => {
    expect(shownValue('topics', 'a')).toBe('a')
    expect(shownValue('snowflake.private.key.file', 'keys/rsa.p8')).toBe('keys/rsa.p8')
    expect(shownValue('key.converter', 'x')).toBe('x')
    expect(shownValue('mta.bus.api.key', '${env:MTA_BUS_API_KEY}')).toBe('${env:MTA_BUS_API_KEY}')
    expect(shownValue('mta.bus.api.key', '')).toBe('')
    expect(shownValue('mta.bus.api.key', '${env:A} abc')).toBe('[hidden]')
  })
})
