// The predicates that Apache Kafka ships, org.apache.kafka.connect.transforms.predicates.*.
import { ConfigDef, string } from '../api/config-def.ts'
import { isSinkRecord } from '../api/new-record.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Props } from '../api/task-context.ts'
import type { Predicate } from '../api/transformation.ts'
import { checkNonEmpty, checkRegex } from './config-keys.ts'
import { compileJavaRegex } from './java-regex.ts'

const HEADER = new ConfigDef({
  name: string({
    doc: 'The header name.',
    importance: 'MEDIUM',
    check: (value: string) => checkNonEmpty(value),
  }),
})

/** Holds for records that have a header of the name. */
export class HasHeaderKey implements Predicate {
  #name = ''

  configure(config: Props): void {
    this.#name = HEADER.parse(config).name
  }

  config(): ConfigDef {
    return HEADER
  }

  test(record: ConnectRecord): boolean {
    return record.headers.some(({ key }) => key === this.#name)
  }
}

const NOTHING = new ConfigDef({})

/** Holds for records without a value. */
export class RecordIsTombstone implements Predicate {
  configure(): void {}

  config(): ConfigDef {
    return NOTHING
  }

  test(record: ConnectRecord): boolean {
    if (isSinkRecord(record) && record.encodedValue !== undefined) return false
    return record.value === null || record.value === undefined
  }
}

const TOPIC = new ConfigDef({
  pattern: string({
    doc: "A Java regular expression for matching against the name of a record's topic.",
    importance: 'MEDIUM',
    check: (value) => checkNonEmpty(value) ?? checkRegex(value),
  }),
})

/** Holds for records whose whole topic matches a pattern. */
export class TopicNameMatches implements Predicate {
  #pattern = /^$/

  configure(config: Props): void {
    this.#pattern = compileJavaRegex(TOPIC.parse(config).pattern)
  }

  config(): ConfigDef {
    return TOPIC
  }

  test(record: ConnectRecord): boolean {
    return this.#pattern.test(record.topic)
  }
}
