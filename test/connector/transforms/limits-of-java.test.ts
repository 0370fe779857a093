import { describe, expect, test } from 'vitest'
import { isSinkRecord, newRecord } from '../../../connector/api/new-record.ts'
import { ConfigError } from '../../../connector/api/errors.ts'
import type { SinkRecord } from '../../../connector/api/records.ts'
import { compileJavaRegex } from '../../../connector/transforms/java-regex.ts'
import { TimestampConverter } from '../../../connector/transforms/timestamp-converter.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('Java’s regular expressions', () => {
  test.each([
    ['a*+', 'possessive'],
    ['(?>a)', 'atomic'],
    ['a(?i)b', 'inline flags'],
    ['(?i:a)', 'inline flags'],
    ['[a-z&&[b]]', 'character classes'],
    ['\\Gx', '\\G'],
    ['\\hx', '\\h'],
    ['[\\P{Alpha}]', '\\P{Alpha}'],
  ])('refuses %s by the name of what is missing', (pattern, what) => {
    expect(() => compileJavaRegex(pattern)).toThrow(ConfigError)
    expect(() => compileJavaRegex(pattern)).toThrow(what)
  })

  test.each([
    ['\\Qa.b\\E+', 'a.bb', true],
    ['\\Qa.b\\E', 'axb', false],
    ['[\\-\\p{Digit}]+', '1-2', true],
    ['(?i)ABC', 'abc', true],
    ['a]', 'a]', true],
    ['\\p{Upper}\\d', 'A1', true],
    ['a|b', 'ab', false],
    ['x\\=y', 'x=y', true],
  ])('%s on %s: %s', (pattern, text, isMatch) => {
    expect(compileJavaRegex(pattern).test(text)).toBe(isMatch)
  })
})

describe('SimpleDateFormat', () => {
  test.each(['YYYY', 'yyyy-ww', 'W', 'F'])(
    'refuses to read times by %s, which it can only write',
    (format) => {
      const converter = new TimestampConverter('value', new FakeClock())
      expect(() => {
        converter.configure({ 'target.type': 'Timestamp', format })
      }).toThrow('cannot read it')
    },
  )
})

describe('newRecord', () => {
  const record = {
    topic: 't',
    kafkaPartition: 1,
    kafkaOffset: 5,
    originalTopic: 't',
    originalKafkaPartition: 1,
    originalKafkaOffset: 5,
    timestampType: 'CreateTime',
    timestamp: 1,
    headers: [],
    keySchema: null,
    key: 'k',
    valueSchema: null,
    get value(): unknown {
      throw new Error('decoded')
    },
    encodedValue: { bytes: Buffer.from([1]), writerSchema: {}, schemaId: 1, decode: () => 1 },
  } satisfies SinkRecord

  test('keeps where a record was read, and does not decode a value that is not changed', () => {
    const moved = newRecord<SinkRecord>(record, { topic: 'u', kafkaPartition: 2 })
    expect(isSinkRecord(moved)).toBe(true)
    expect([moved.topic, moved.kafkaPartition]).toEqual(['u', 2])
    expect([moved.originalTopic, moved.originalKafkaPartition]).toEqual(['t', 1])
    expect(moved.encodedValue).toBe(record.encodedValue)
  })

  test('another value has no bytes any more', () => {
    const changed = newRecord<SinkRecord>(record, { value: 7 })
    expect(changed.value).toBe(7)
    expect(changed.encodedValue).toBeUndefined()
    expect(newRecord(changed, { timestamp: undefined }).timestamp).toBeUndefined()
  })
})
