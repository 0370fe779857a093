import { describe, expect, test } from 'vitest'
import {
  ConnectError,
  DataError,
  NotFoundError,
  RetriableError,
} from '../../../connector/api/errors.ts'
import {
  callError,
  deliveryError,
  endsClient,
  eventCodes,
} from '../../../connector/kafka/native-errors.ts'

const native = (code: number, message = 'Some text'): Error & { code: number } =>
  Object.assign(new Error(message), { code })

describe('callError', () => {
  test.each([
    [-195, 'transport', RetriableError],
    [-185, 'timed out', RetriableError],
    [27, 'rebalance in progress', RetriableError],
    [10, 'message too large', DataError],
    [3, 'unknown topic', NotFoundError],
    [29, 'topic authorization', ConnectError],
    [-169, 'authentication', ConnectError],
    [-150, 'fatal', ConnectError],
    [25, 'unknown member', ConnectError],
    [-165, 'unsupported feature', ConnectError],
  ] as const)('%i (%s) has its class', (code, _name, expected) => {
    const cause = native(code)
    const error = callError('It failed', cause, ['a reason'])
    expect(error.constructor).toBe(expected)
    expect(error.message).toBe(`It failed: Some text (${code}); a reason`)
    expect(error.cause).toBe(cause)
  })
})

test('a message to a topic that is not there may be delivered later', () => {
  expect(deliveryError('x', native(3))).toBeInstanceOf(RetriableError)
  expect(deliveryError('x', native(10))).toBeInstanceOf(DataError)
})

test('refused credentials and fencing end a client, lost connections do not', () => {
  expect([-169, 29, 30, -150, -144, 82].filter((code) => !endsClient(code))).toEqual([])
  expect([-195, -187, -185, 3, 10, 27].filter((code) => endsClient(code))).toEqual([])
})

test("finds an event's code by librdkafka's own texts", () => {
  const texts: Readonly<Record<number, string>> = {
    [-169]: 'Local: Authentication failure',
    7: 'Plain',
  }
  const codeOf = eventCodes([-169, 7], (code) => texts[code] ?? '')
  expect(codeOf({ message: 'authentication failure', origin: 'local', code: -1 })).toBe(-169)
  expect(codeOf({ message: 'plain', origin: 'unknown', code: -1 })).toBe(7)
  expect(codeOf({ message: 'authentication failure', origin: 'broker', code: -1 })).toBeUndefined()
})
