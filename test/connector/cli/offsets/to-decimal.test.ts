import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../../../connector/api/errors.ts'
import {
  type Caller,
  decimalOf,
  type Position,
  readPositions,
  writeDecimal,
} from '../../../../connector/cli/offsets/to-decimal.ts'
import { SnowpipeError } from '../../../../connector/snowflake/errors.ts'

const position = (token: string | null, changes: Partial<Position> = {}): Position => ({
  topic: 't',
  partition: 0,
  channel: 's_t_0',
  pipe: { database: 'D', schema: 'S', pipe: 'T-STREAMING' },
  topicId: 'AbC_-1',
  log: { beginning: 0, end: 100 },
  token,
  ...changes,
})

describe('decimalOf', () => {
  test.for([
    ['AbC_-1:41', '41'],
    ['AbC_-1:0', '0'],
    ['AbC_-1:99', '99'],
    ['41', undefined],
    [null, undefined],
    ['', undefined],
  ] as const)('%s becomes %s', ([token, decimal]) => {
    expect(decimalOf(position(token))).toBe(decimal)
  })

  test.for([
    ['a token of another topic', position('Other:41')],
    ['a topic whose id nobody tells', position('AbC_-1:41', { topicId: undefined })],
    ['a token that nobody we know writes', position('x:y:z')],
    ['a position before the first record', position('AbC_-1:-1')],
    ['a position past the end of the log', position('AbC_-1:100')],
    ['records that the log has lost', position('AbC_-1:9', { log: { beginning: 11, end: 100 } })],
    ['a decimal past the end of the log', position('100')],
  ] as const)('refuses %s', ([, wrong]) => {
    expect(() => decimalOf(wrong)).toThrow(ConnectError)
  })
})

const STATUS = {
  code: 'SUCCESS',
  rowsInserted: 0,
  rowsError: 0,
  lastErrorMessage: null,
  lastErrorTokenUpperBound: null,
}

/** A channel; `meanwhile` is what a writer commits between the look at it and its opening. */
function channel(token: string | null, meanwhile?: string) {
  const state = { token, opened: [] as (string | undefined)[] }
  const client: Caller['client'] = {
    statuses: () =>
      Promise.resolve(new Map([['s_t_0', { ...STATUS, committedToken: state.token }]])),
    open: (_pipe, _channel, { offsetToken, failOnUncommittedRows }) => {
      expect(failOnUncommittedRows).toBe(true)
      state.opened.push(offsetToken)
      if (offsetToken !== undefined) state.token = offsetToken
      else state.token = meanwhile ?? state.token
      return Promise.resolve({
        continuationToken: 'c',
        status: { ...STATUS, committedToken: state.token },
      })
    },
  }
  return { state, caller: { client, requestId: () => 'r', timeoutMs: 1_000 } }
}

describe('writeDecimal', () => {
  test('sets what the channel holds once nobody else can write to it', async () => {
    const { state, caller } = channel('AbC_-1:41', 'AbC_-1:50')
    const [found] = await readPositions([position(null)], caller)
    expect(found?.token).toBe('AbC_-1:41')
    expect(await writeDecimal(position('AbC_-1:41'), caller)).toBe('50')
    expect(state).toEqual({ token: '50', opened: [undefined, '50'] })
  })

  test('leaves alone what has become something that it may not turn into a decimal', async () => {
    const { state, caller } = channel('AbC_-1:41', 'Other:3')
    await expect(writeDecimal(position('AbC_-1:41'), caller)).rejects.toThrow(ConnectError)
    expect(state.token).toBe('Other:3')
  })
})

const refused = (code: string): Caller => ({
  client: {
    statuses: () =>
      Promise.reject(new SnowpipeError('no', { reaction: 'wait', status: 404, code })),
    open: () => Promise.reject(new Error('not asked')),
  },
  requestId: () => 'r',
  timeoutMs: 1_000,
})

describe('readPositions', () => {
  test('leaves out channels of tables that are not there, and passes other refusals on', async () => {
    const places = [position(null)]
    const missing = refused('ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED')
    expect(await readPositions(places, missing)).toEqual([])
    await expect(readPositions(places, refused('ERR_OTHER'))).rejects.toThrow(SnowpipeError)
  })
})
