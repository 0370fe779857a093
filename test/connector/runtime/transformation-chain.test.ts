import { describe, expect, test } from 'vitest'
import type { ConnectRecord } from '../../../connector/api/records.ts'
import { newRecord } from '../../../connector/api/new-record.ts'
import type { Transformation } from '../../../connector/api/transformation.ts'
import { ConfigDef } from '../../../connector/api/config-def.ts'
import { ConsumedRecord } from '../../../connector/runtime/sink-record.ts'
import { TransformationLink } from '../../../connector/runtime/transformation-chain.ts'

const consumed = new ConsumedRecord(
  {
    topic: 't',
    partition: 0,
    offset: 9,
    timestamp: 1,
    timestampType: 'CreateTime',
    key: null,
    value: null,
    size: 0,
    headers: [],
  },
  { schema: null, value: 'k' },
  { schema: null, value: 'v' },
  [],
)

const linkOf = (apply: (record: ConnectRecord) => ConnectRecord | null): TransformationLink => {
  const transformation: Transformation = {
    configure: () => {},
    config: () => new ConfigDef({}),
    apply,
  }
  return new TransformationLink({
    transformation,
    className: 'Mine',
    predicate: undefined,
    negate: false,
  })
}

describe('TransformationLink', () => {
  test('refuses a consumed record that was copied by spreading, which loses where it was read', () => {
    const link = linkOf((record) => ({ ...record, topic: 'u' }))
    expect(() => link.apply(consumed)).toThrow('Mine returned a record that does not say where')
  })

  test('takes one that was made by newRecord', () => {
    const result = linkOf((record) => newRecord(record, { topic: 'u' })).apply(consumed)
    expect([result?.topic, result?.originalTopic, result?.kafkaOffset]).toEqual(['u', 't', 9])
  })
})
