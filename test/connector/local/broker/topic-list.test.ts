import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../../connector/api/errors.ts'
import { parseTopicList } from '../../../../connector/local/broker/topic-list.ts'

describe('parseTopicList', () => {
  test('reads names with their partitions, one by default', () => {
    expect(parseTopicList(' mta.subway:6, b ,')).toEqual([
      { name: 'mta.subway', partitions: 6 },
      { name: 'b', partitions: 1 },
    ])
    expect(parseTopicList('')).toEqual([])
  })

  test('names every wrong part', () => {
    expect(() => parseTopicList('a:0,a b,x:1:2,y,y:2')).toThrow(
      new ConfigError(
        'a:0: partitions must be in 1..1000; a b: not a topic name; x:1:2: not a topic name; y: named twice',
      ),
    )
  })
})
