import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ingestUrl } from '../../../connector/snowflake/ingest-access.ts'
import {
  keyProblems,
  parseSinkConfig,
  SNOWFLAKE_SINK_CONFIG,
} from '../../../connector/snowflake/config.ts'
import { pathSegment, storedName, tableOfTopic } from '../../../connector/snowflake/identifiers.ts'
import { formatToken, parseToken } from '../../../connector/snowflake/offset-token.ts'
import { parseTopicMap, type TopicToTable } from '../../../connector/snowflake/topic-map.ts'

const PEM = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey
const GOOD = {
  'snowflake.url.name': 'org-acct.snowflakecomputing.com:443',
  'snowflake.user.name': 'mta',
  'snowflake.private.key': PEM,
  'snowflake.database.name': 'mta',
  'snowflake.schema.name': '"Raw"',
}

const parseBad = (): unknown =>
  parseSinkConfig({
    ...GOOD,
    'snowflake.url.name': 'http://example.com',
    'snowflake.user.name': ' ',
    'snowflake.streaming.max.rows': '0',
    'snowflake.topic2table.map': 'a',
    'snowflake.authenticator': 'oauth',
    'snowflake.enable.schematization': 'false',
  })

describe('parseSinkConfig', () => {
  test('reads an account, names as Snowflake stores them, and a key', () => {
    expect(parseSinkConfig(GOOD)).toMatchObject({
      accountUrl: 'https://org-acct.snowflakecomputing.com',
      account: 'org-acct',
      database: 'MTA',
      schema: 'Raw',
    })
  })

  test('names every problem at once, and no secret', () => {
    for (const part of [
      'http:// is only for addresses of this machine',
      'snowflake.user.name',
      'Value must be at least 1',
      'Expected topic:table, got a',
      'needs snowflake.oauth.client.id and snowflake.oauth.client.secret',
      'there is no RECORD_CONTENT',
    ]) {
      expect(parseBad).toThrow(part)
    }
    expect(parseBad).not.toThrow(PEM.slice(40, 80))
  })

  test.each([
    [{ 'snowflake.private.key.file': 'x' }, 'exactly one of'],
    [{ 'snowflake.private.key': 'MIIx' }, 'The private key cannot be read'],
  ])('refuses %j', (more, message) => {
    expect(() => parseSinkConfig({ ...GOOD, ...more })).toThrow(message)
  })

  test('refuses a misspelt key, naming the one that is nearest', () => {
    expect(() => parseSinkConfig({ ...GOOD, 'snowflake.databse.name': 'PROD' })).toThrow(
      'Unknown configuration snowflake.databse.name; the nearest one is snowflake.database.name',
    )
  })

  test('passes over keys of the official connector that have no meaning here, saying so', () => {
    const { errors, warnings } = keyProblems({
      ...GOOD,
      jmx: 'true',
      'snowflake.cache.table.exists': 'true',
      'snowflake.enable.schematization': 'true',
    })
    expect(errors).toEqual([])
    expect(warnings).toEqual([
      'jmx has no meaning here and is passed over.',
      'snowflake.cache.table.exists has no meaning here and is passed over.',
    ])
  })

  test('knows every key of the example configuration', () => {
    const text = readFileSync('connector/snowflake/snowflake-sink.properties', 'utf8')
    const json = JSON.parse(readFileSync('connector/snowflake/snowflake-sink.json', 'utf8')) as {
      config: Record<string, string>
    }
    const keys = [...text.matchAll(/^#?(snowflake\.[a-z.0-9]+)=/gm)].map(([, key = '']) => key)
    for (const key of [...keys, ...Object.keys(json.config)].filter((k) => k.startsWith('snow'))) {
      expect(Object.keys(SNOWFLAKE_SINK_CONFIG.keys)).toContain(key)
    }
  })

  test('every key is explained in the README', () => {
    const readme = readFileSync('connector/snowflake/README.md', 'utf8')
    const missing = Object.keys(SNOWFLAKE_SINK_CONFIG.keys).filter(
      (key) => !readme.includes(`\`${key}\``),
    )
    expect(missing).toEqual([])
  })
})

const tableOf = (map: string, topic: string, groups = false): string =>
  (parseTopicMap(map, groups) as TopicToTable)(topic)

describe('parseTopicMap', () => {
  test.each([
    ['', 'mta.vehicle_position.v1', 'MTA_VEHICLE_POSITION_V1'],
    ['a:t, b:"Tee"', 'b', 'Tee'],
    ['mta\\..*:all', 'mta.x', 'ALL'],
    ['m.*:all,mta:one', 'mta', 'ONE'],
    ['m.*:all', 'smta', 'SMTA'],
  ])('%s of %s', (map, topic, table) => {
    expect(tableOf(map, topic)).toBe(table)
  })

  test('fills in groups when it is told to', () => {
    expect(tableOf('mta\\.(.*)\\.v1:raw_$1', 'mta.alert.v1', true)).toBe('RAW_ALERT')
  })
})

test.each([
  ['127.0.0.1', 'http://127.0.0.1:1234', 'http://127.0.0.1:1234'],
  ['127.0.0.1:99', 'http://127.0.0.1:1234', 'http://127.0.0.1:99'],
  [
    'x.ingest.snowflakecomputing.com',
    'https://a.snowflakecomputing.com',
    'https://x.ingest.snowflakecomputing.com',
  ],
  ['https://y.example:8443/', 'https://a.snowflakecomputing.com', 'https://y.example:8443'],
])('ingestUrl of %s at %s', (answer, account, url) => {
  expect(ingestUrl(answer, account)).toBe(url)
})

test.each([
  ['abc', 'ABC'],
  ['"a b"', 'a b'],
  ['"a""b"', 'a"b'],
])('storedName of %s', (text, name) => {
  expect(storedName(text)).toBe(name)
})

test('names that need quotes are quoted in paths', () => {
  expect(pathSegment('VP-STREAMING')).toBe('VP-STREAMING')
  expect(pathSegment('my table')).toBe('%22my%20table%22')
  expect(tableOfTopic('1.a-b')).toBe('_1_A_B')
})

test.each([
  [null, null],
  ['', null],
  ['41', { topicId: undefined, offset: 41 }],
  ['-1', { topicId: undefined, offset: -1 }],
  ['dG9waWMtMQ:7', { topicId: 'dG9waWMtMQ', offset: 7 }],
  ['offset-7', undefined],
  ['99999999999999999', undefined],
])('parseToken of %s', (token, position) => {
  expect(parseToken(token)).toEqual(position)
  expect(position === null || position === undefined || formatToken(position) === token).toBe(true)
})
