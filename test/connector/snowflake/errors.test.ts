import { describe, expect, test } from 'vitest'
import {
  classify,
  jsonOf,
  type Operation,
  type Reaction,
  retryAfterMs,
} from '../../../connector/snowflake/errors.ts'

type Case = readonly [Operation, number, string, Reaction]
const code = (text: string): string => JSON.stringify({ code: text, message: 'x' })

const CASES: readonly Case[] = [
  ['append', 400, code('STALE_CONTINUATION_TOKEN_SEQUENCER'), 'reopen'],
  ['append', 400, code('STALE_PIPE_CACHE'), 'reopen'],
  ['append', 400, code('ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'), 'reopen'],
  ['append', 400, code('SOMETHING_ELSE'), 'fail'],
  ['append', 401, '', 'wait'],
  ['append', 403, '', 'wait'],
  ['append', 404, '', 'retry'],
  ['append', 404, 'Not Found', 'retry'],
  ['append', 404, code('ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED'), 'reopen'],
  ['append', 404, code('ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'), 'reopen'],
  ['append', 408, '', 'retry'],
  ['append', 409, code('ERR_WHATEVER'), 'reopen'],
  ['append', 410, 'Gone', 'rediscover'],
  ['append', 413, '', 'split'],
  ['append', 429, '', 'retry'],
  ['append', 500, '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"', 'retry'],
  ['append', 400, JSON.stringify({ error_code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' }), 'retry'],
  ['append', 503, '<html>', 'retry'],
  ['append', 302, '', 'fail'],
  ['append', 200, JSON.stringify({ status_code: 4, message: 'stale' }), 'reopen'],
  ['append', 200, JSON.stringify({ status_code: 6, message: 'busy' }), 'retry'],
  ['open', 404, '', 'retry'],
  ['open', 404, code('ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED'), 'wait'],
  ['open', 409, code('ERR_CHANNEL_HAS_UNCOMMITTED_DATA'), 'uncommitted'],
  ['open', 409, code('ERR_OPEN_CHANNEL_IN_PROGRESS'), 'wait'],
  ['open', 400, code('STALE_PIPE_CACHE'), 'wait'],
  ['open', 413, '', 'fail'],
  ['status', 404, '', 'retry'],
  ['status', 404, code('ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'), 'reopen'],
  ['status', 503, '', 'retry'],
  ['hostname', 404, '', 'retry'],
  ['hostname', 401, '', 'wait'],
  ['token', 500, '', 'retry'],
  ['token', 400, code('invalid_grant'), 'fail'],
  ['append', 502, '', 'retry'],
  ['append', 504, '', 'retry'],
  ['append', 400, code('ERR_CHANNEL_MUST_BE_REOPENED'), 'reopen'],
  ['append', 400, code('ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER'), 'reopen'],
  ['append', 400, code('ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER'), 'reopen'],
  ['append', 400, code('SWITCH_TO_FILE_MODE'), 'fail'],
  ['append', 409, code('ERR_PIPE_IN_INVALID_STATE'), 'reopen'],
  ['append', 410, '', 'rediscover'],
  ['open', 408, '', 'retry'],
  ['open', 410, '', 'rediscover'],
  ['open', 429, '', 'retry'],
  ['open', 503, '', 'retry'],
  ['open', 401, '', 'wait'],
  ['open', 404, code('ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'), 'wait'],
  ['open', 404, code('ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'), 'wait'],
  ['status', 410, '', 'rediscover'],
  ['status', 429, '', 'retry'],
  ['status', 401, '', 'wait'],
  ['status', 200, JSON.stringify({ status_code: 5, message: 'busy' }), 'retry'],
]

describe('classify', () => {
  test.each(CASES)('%s answered with %i %s: %s', (operation, status, body, reaction) => {
    const error = classify(operation, 'x', { status, headers: {}, body: Buffer.from(body) }, 0)
    expect(error?.reaction).toBe(reaction)
  })

  test('carries how long a 429 asks to wait', () => {
    const headers = { 'retry-after': '7' }
    const error = classify('append', 'x', { status: 429, headers, body: Buffer.alloc(0) }, 0)
    expect(error).toMatchObject({ reaction: 'retry', retryAfterMs: 7_000 })
  })

  test('takes a good answer for one, whatever else it says', () => {
    for (const body of ['', 'text', '{"status_code":0}', '{"next_continuation_token":"1"}']) {
      expect(
        classify('append', 'x', { status: 200, headers: {}, body: Buffer.from(body) }, 0),
      ).toBeUndefined()
    }
  })

  test('never carries more of a body than is useful', () => {
    const body = Buffer.from('x'.repeat(100_000))
    const error = classify('open', 'x', { status: 500, headers: {}, body }, 0)
    expect(error?.message.length).toBeLessThan(1_000)
  })
})

describe('retryAfterMs', () => {
  test.each([
    ['3', 3_000],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
    ['100000', 300_000],
    ['soon', undefined],
    ['0', undefined],
    [undefined, undefined],
  ])('%s', (header, ms) => {
    expect(retryAfterMs(header, 1_000)).toBe(ms)
  })
})

describe('jsonOf', () => {
  test.each([
    ['{"a":1}', { a: 1 }],
    ['"host"', 'host'],
    ['host', undefined],
    ['[1]', undefined],
    ['null', undefined],
  ])('%s', (body, value) => {
    expect(jsonOf(Buffer.from(body))).toEqual(value)
  })
})
