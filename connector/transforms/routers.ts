// The transformations that change a record's topic, and Filter, which drops it.
import { ConfigDef, string } from '../api/config-def.ts'
import { DataError } from '../api/errors.ts'
import { newRecord } from '../api/new-record.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { checkRegex, requiredText } from './config-keys.ts'
import { compileJavaRegex, expandReplacement } from './java-regex.ts'
import { SimpleDateFormat } from './simple-date-format.ts'

const NOTHING = new ConfigDef({})

/** org.apache.kafka.connect.transforms.Filter: drops every record; used with a predicate. */
export class Filter implements Transformation {
  configure(): void {}

  config(): ConfigDef {
    return NOTHING
  }

  apply(): null {
    return null
  }
}

const REGEX = new ConfigDef({
  regex: string({
    doc: 'Regular expression to use for matching.',
    importance: 'HIGH',
    check: checkRegex,
  }),
  replacement: requiredText('Replacement string.', 'HIGH'),
})

/** org.apache.kafka.connect.transforms.RegexRouter: another topic where the whole name matches. */
export class RegexRouter implements Transformation {
  #regex = /^$/
  #replacement = ''

  configure(config: Props): void {
    const { regex, replacement } = REGEX.parse(config)
    this.#regex = compileJavaRegex(regex)
    this.#replacement = replacement
  }

  config(): ConfigDef {
    return REGEX
  }

  apply<R extends ConnectRecord>(record: R): R {
    const match = this.#regex.exec(record.topic)
    if (match === null) return record
    return newRecord(record, { topic: expandReplacement(this.#replacement, match) })
  }
}

const TIMESTAMP = new ConfigDef({
  'topic.format': string({
    doc: 'Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for the topic and timestamp, respectively.',
    importance: 'HIGH',
    default: '${topic}-${timestamp}',
  }),
  'timestamp.format': string({
    doc: 'Format string for the timestamp that is compatible with <code>java.text.SimpleDateFormat</code>.',
    importance: 'HIGH',
    default: 'yyyyMMdd',
  }),
})

/** org.apache.kafka.connect.transforms.TimestampRouter: a topic by the record's time, UTC. */
export class TimestampRouter implements Transformation {
  #topicFormat = ''
  #timestampFormat!: SimpleDateFormat

  configure(config: Props): void {
    const parsed = TIMESTAMP.parse(config)
    this.#topicFormat = parsed['topic.format']
    this.#timestampFormat = new SimpleDateFormat(parsed['timestamp.format'])
  }

  config(): ConfigDef {
    return TIMESTAMP
  }

  apply<R extends ConnectRecord>(record: R): R {
    const { timestamp, topic } = record
    if (timestamp === undefined) {
      throw new DataError(`Timestamp missing on record of topic ${topic}`)
    }
    const formatted = this.#timestampFormat.format(new Date(timestamp))
    const routed = this.#topicFormat
      .replaceAll('${topic}', () => topic)
      .replaceAll('${timestamp}', () => formatted)
    return newRecord(record, { topic: routed })
  }
}
