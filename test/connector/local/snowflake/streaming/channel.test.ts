import { describe, expect, test } from 'vitest'
import {
  type AppendVerdict,
  Channel,
  decodeRecords,
  encodeRecords,
  newRecord,
} from '../../../../../connector/local/snowflake/streaming/channel.ts'
import { encodeToken } from '../../../../../connector/local/snowflake/streaming/continuation-token.ts'

const batch = { startToken: '0', endToken: '9', bytes: Buffer.from('{}\n'), acceptedMs: 0 }
const opened = (): Channel => {
  const channel = new Channel(newRecord('c', 5))
  channel.open('nonce-1')
  return channel
}

interface Case {
  readonly about: string
  readonly make: () => { channel: Channel; token: string }
  readonly verdict: AppendVerdict
}

const CASES: readonly Case[] = [
  {
    about: 'the token of the open',
    make: () => {
      const channel = opened()
      return { channel, token: channel.nextToken() }
    },
    verdict: 'accept',
  },
  {
    about: 'the token of the last append',
    make: () => {
      const channel = opened()
      channel.accept(batch)
      return { channel, token: channel.nextToken() }
    },
    verdict: 'accept',
  },
  {
    about: 'a token that was used already',
    make: () => {
      const channel = opened()
      const token = channel.nextToken()
      channel.accept(batch)
      return { channel, token }
    },
    verdict: 'repeat',
  },
  {
    about: 'a token that was used before the last append',
    make: () => {
      const channel = opened()
      const token = channel.nextToken()
      for (let append = 0; append < 2; append++) channel.accept(batch)
      return { channel, token }
    },
    verdict: 'stale',
  },
  {
    about: 'the next token of a channel that was closed',
    make: () => {
      const channel = opened()
      channel.close()
      return { channel, token: channel.nextToken() }
    },
    verdict: 'stale',
  },
  {
    about: 'a token from before a reopen',
    make: () => {
      const channel = opened()
      const token = channel.nextToken()
      channel.open('nonce-2')
      return { channel, token }
    },
    verdict: 'stale',
  },
  {
    about: 'a token of another life of the process with the same sequencers',
    make: () => {
      const token = opened().nextToken()
      const channel = new Channel(newRecord('c', 5))
      channel.open('nonce-2')
      return { channel, token }
    },
    verdict: 'stale',
  },
  {
    about: 'a token of a channel that nobody opened in this process',
    make: () => ({ channel: new Channel(newRecord('c', 5)), token: opened().nextToken() }),
    verdict: 'stale',
  },
  {
    about: 'a good token of a channel that was invalidated',
    make: () => {
      const channel = opened()
      channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED'
      return { channel, token: channel.nextToken() }
    },
    verdict: 'stale',
  },
  {
    about: 'a good token on an invalid pipe, which acknowledges and discards',
    make: () => {
      const channel = opened()
      channel.invalidatePipe()
      return { channel, token: channel.nextToken() }
    },
    verdict: 'accept',
  },
  {
    about: 'a token that skips an append',
    make: () => ({
      channel: opened(),
      token: encodeToken({
        channel: 'c',
        clientSequencer: 1,
        rowSequencer: 1,
        nonce: 'nonce-1',
      }),
    }),
    verdict: 'future',
  },
  {
    about: 'a token of another channel',
    make: () => {
      const other = new Channel(newRecord('d', 5))
      other.open('nonce-1')
      return { channel: opened(), token: other.nextToken() }
    },
    verdict: 'foreign',
  },
  { about: 'garbage', make: () => ({ channel: opened(), token: '%%%' }), verdict: 'foreign' },
]

describe('Channel', () => {
  for (const { about, make, verdict } of CASES)
    test(`says ${verdict} to ${about}`, () => {
      const { channel, token } = make()
      expect(channel.judge(token)).toBe(verdict)
    })

  test('discards what waited when it is opened again, and keeps its counters', () => {
    const channel = opened()
    channel.record = { ...channel.record, offsetToken: '7', rowsInserted: 8 }
    channel.accept(batch)
    channel.open('nonce-2')
    expect(channel.pending).toEqual([])
    expect(channel.record).toMatchObject({ offsetToken: '7', rowsInserted: 8, clientSequencer: 2 })
  })

  test('keeps nothing of what an invalid pipe acknowledges', () => {
    const channel = opened()
    channel.invalidatePipe()
    channel.accept(batch)
    expect(channel.pending).toEqual([])
  })

  test('is the same after a round trip through the table property', () => {
    const records = [
      newRecord('plain', 1),
      {
        name: '__proto__',
        offsetToken: 'topic:41',
        clientSequencer: 3,
        createdMs: 2,
        rowsInserted: 40,
        rowsParsed: 42,
        rowsErrors: 2,
        lastError: { message: 'bad "row"', offsetUpperBound: null, timestampMs: 9 },
      },
    ]
    expect(decodeRecords(encodeRecords(records))).toEqual(records)
  })
})
