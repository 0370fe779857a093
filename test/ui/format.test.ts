import { expect, test } from 'vitest'
import { age, count, rate } from '../../ui/src/format.ts'

test('ages change their unit where the smaller one says no more', () => {
  expect([0, 12.4, 99, 100, 600, 5_999, 7_200].map(age)).toEqual([
    '0 s',
    '12 s',
    '99 s',
    '2 min',
    '10 min',
    '100 min',
    '2 h',
  ])
})

test('rates have three digits at most, and thousands are told apart', () => {
  expect([0, 0.04, 0.44, 9.96, 12.6, 4_321.9].map(rate)).toEqual([
    '0',
    '0.0',
    '0.4',
    '10.0',
    '13',
    '4,322',
  ])
  expect(count(1_234_567)).toBe('1,234,567')
})
