import { describe, expect, test } from 'vitest'
import { clockText, serviceDayOf } from '../../../source-mta/simulator/service-day.ts'

const unix = (iso: string): number => Date.parse(iso) / 1000

describe('serviceDayOf', () => {
  test.each([
    ['2026-06-10T08:00:00-04:00', '20260610', '2026-06-10T00:00:00-04:00', 'weekday'],
    ['2026-06-10T23:59:59-04:00', '20260610', '2026-06-10T00:00:00-04:00', 'weekday'],
    ['2026-01-17T12:00:00-05:00', '20260117', '2026-01-17T00:00:00-05:00', 'saturday'],
    // Noon minus twelve hours, on the days when the clocks change.
    ['2026-03-08T12:00:00-04:00', '20260308', '2026-03-07T23:00:00-05:00', 'sunday'],
    ['2026-11-01T12:00:00-05:00', '20261101', '2026-11-01T01:00:00-04:00', 'sunday'],
  ])('%s belongs to %s', (instant, date, start, kind) => {
    expect(serviceDayOf(unix(instant))).toEqual({ date, start: unix(start), kind })
  })
})

describe('clockText', () => {
  test('goes on past midnight', () => {
    expect(clockText(25 * 3600 + 61)).toBe('25:01:01')
  })
})
