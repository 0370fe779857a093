import {
  boolean,
  ConfigDef,
  type ConfigKeys,
  type ConfigOf,
  type ConfigValue,
  classNameKey,
  int,
  list,
  long,
  oneOf,
  short,
  string,
} from '../api/config-def.ts'
import type { Props } from '../api/task-context.ts'

const noDuplicates = (values: readonly string[]): string | undefined =>
  new Set(values).size === values.length ? undefined : 'Duplicate alias provided.'

function checkName(name: string): string | undefined {
  if (name.trim() === '') return 'String may not be empty'
  const controls = name.match(/\p{Cc}/gu) ?? []
  if (controls.length === 0) return undefined
  return `String may not contain control sequences but had the following ASCII chars: ${controls.map((char) => char.codePointAt(0)).join(', ')}`
}

/** What every connector may be configured with, under Kafka Connect's names, defaults and groups. */
const COMMON_KEYS = {
  name: string({
    doc: 'Name of the connector, unique among all connectors.',
    importance: 'HIGH',
    group: 'Common',
    width: 'MEDIUM',
    displayName: 'Connector name',
    check: checkName,
  }),
  'connector.class': string({
    doc: 'Class or alias of the connector.',
    importance: 'HIGH',
    group: 'Common',
    width: 'LONG',
    displayName: 'Connector class',
  }),
  'tasks.max': int({
    doc: 'How many tasks the connector may have at most.',
    importance: 'HIGH',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Tasks max',
    default: 1,
    range: [1, 2 ** 31 - 1],
  }),
  'tasks.max.enforce': boolean({
    doc: 'Whether a connector that generates more tasks than tasks.max fails.',
    importance: 'LOW',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Enforce tasks max',
    default: true,
  }),
  'key.converter': classNameKey<string | undefined>({
    doc: 'Converter of record keys; default: the worker’s.',
    importance: 'LOW',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Key converter class',
    default: undefined,
  }),
  'value.converter': classNameKey<string | undefined>({
    doc: 'Converter of record values; default: the worker’s.',
    importance: 'LOW',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Value converter class',
    default: undefined,
  }),
  'header.converter': classNameKey<string | undefined>({
    doc: 'Converter of record headers; default: the worker’s.',
    importance: 'LOW',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Header converter class',
    default: undefined,
  }),
  transforms: list({
    doc: 'Aliases of the transformations to apply to records, in order.',
    importance: 'LOW',
    group: 'Transforms',
    width: 'LONG',
    displayName: 'Transforms',
    default: [],
    check: noDuplicates,
  }),
  predicates: list({
    doc: 'Aliases of the predicates that transformations use.',
    importance: 'LOW',
    group: 'Predicates',
    width: 'LONG',
    displayName: 'Predicates',
    default: [],
    check: noDuplicates,
  }),
  'config.action.reload': string({
    doc: 'What happens when a config provider’s value changes: none or restart.',
    importance: 'LOW',
    group: 'Common',
    width: 'MEDIUM',
    displayName: 'Reload Action',
    default: 'restart',
    check: oneOf('none', 'restart'),
  }),
  'errors.retry.timeout': long({
    doc: 'How long a failed operation is retried, in milliseconds; -1: without end.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'MEDIUM',
    displayName: 'Retry Timeout for Errors',
    default: 0,
  }),
  'errors.retry.delay.max.ms': long({
    doc: 'Longest wait between two retries.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'MEDIUM',
    displayName: 'Maximum Delay Between Retries for Errors',
    default: 60_000,
  }),
  'errors.tolerance': string({
    doc: 'none: a record that cannot be processed fails the task; all: it is skipped.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'SHORT',
    displayName: 'Error Tolerance',
    default: 'none',
    check: oneOf('none', 'all'),
  }),
  'errors.log.enable': boolean({
    doc: 'Whether records that failed are logged.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'SHORT',
    displayName: 'Log Errors',
    default: false,
  }),
  'errors.log.include.messages': boolean({
    doc: 'Whether the log names topic, partition and offset of a failed record.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'SHORT',
    displayName: 'Log Error Details',
    default: false,
  }),
} satisfies ConfigKeys

export const SOURCE_CONNECTOR_CONFIG = new ConfigDef({
  ...COMMON_KEYS,
  'topic.creation.groups': list({
    doc: 'Groups of topics that are made with settings of their own.',
    importance: 'LOW',
    group: 'Topic Creation',
    width: 'LONG',
    displayName: 'Topic Creation Groups',
    default: [],
    check: noDuplicates,
  }),
  'exactly.once.support': string({
    doc: 'requested, or required: fail when exactly-once is impossible.',
    importance: 'MEDIUM',
    group: 'Exactly Once Support',
    width: 'SHORT',
    displayName: 'Exactly once support',
    default: 'requested',
    check: (value) => oneOfIgnoringCase(value, ['REQUESTED', 'REQUIRED']),
  }),
  'transaction.boundary': string({
    doc: 'Where transactions end: poll, interval or connector.',
    importance: 'MEDIUM',
    group: 'Exactly Once Support',
    width: 'SHORT',
    displayName: 'Transaction Boundary',
    default: 'poll',
    check: (value) => oneOfIgnoringCase(value, ['POLL', 'INTERVAL', 'CONNECTOR']),
  }),
  'offsets.storage.topic': string<string | undefined>({
    doc: 'Offsets topic of this connector alone.',
    importance: 'LOW',
    group: 'offsets.topic',
    width: 'LONG',
    displayName: 'Offsets topic',
    default: undefined,
  }),
})

export const SINK_CONNECTOR_CONFIG = new ConfigDef({
  ...COMMON_KEYS,
  topics: list({
    doc: 'Topics to read.',
    importance: 'HIGH',
    group: 'Common',
    width: 'LONG',
    displayName: 'Topics',
    default: [],
    check: (topics) => {
      if (topics.includes('')) return `Configuration 'topics' values must not be empty.`
      return noDuplicates(topics) && `Configuration 'topics' values must not be duplicated.`
    },
  }),
  'topics.regex': string({
    doc: 'Java regular expression of the topics to read.',
    importance: 'HIGH',
    group: 'Common',
    width: 'LONG',
    displayName: 'Topics regex',
    default: '',
    check: checkRegex,
  }),
  'errors.deadletterqueue.topic.name': string({
    doc: 'Topic that records go to which cannot be processed; empty: none.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Name',
    default: '',
  }),
  'errors.deadletterqueue.topic.replication.factor': short({
    doc: 'Replication factor of the dead-letter queue when it is made.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Replication Factor',
    default: 3,
  }),
  'errors.deadletterqueue.context.headers.enable': boolean({
    doc: 'Whether records of the dead-letter queue tell in headers what went wrong.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    width: 'MEDIUM',
    displayName: 'Enable Error Context Headers',
    default: false,
  }),
})

export type SinkConnectorConfig = ConfigOf<typeof SINK_CONNECTOR_CONFIG>

/** The framework's keys of a kind of connector. */
export const frameworkConfig = (kind: 'source' | 'sink'): ConfigDef =>
  kind === 'source' ? SOURCE_CONNECTOR_CONFIG : SINK_CONNECTOR_CONFIG

/** `topics.regex` as a RegExp that matches whole names. */
export const topicsRegex = (text: string): RegExp => new RegExp(`^(?:${text})$`)

/**
 * Checks the rules between keys that a sink has: exactly one of `topics` and `topics.regex`, and no
 * dead-letter queue among what it reads. Returns messages by key.
 */
export function checkSinkTopics(props: Props): ReadonlyMap<string, string> {
  const topics = (props['topics'] ?? '').trim()
  const regex = (props['topics.regex'] ?? '').trim()
  const queue = (props['errors.deadletterqueue.topic.name'] ?? '').trim()
  if (topics === '' && regex === '') return onBoth('Must configure one of topics or topics.regex')
  if (topics !== '' && regex !== '') {
    return onBoth('topics and topics.regex are mutually exclusive options, but both are set.')
  }
  if (queue === '') return new Map()
  const names = topics === '' ? [] : topics.split(/\s*,\s*/)
  if (names.includes(queue)) {
    return new Map([
      [
        'topics',
        `The DLQ topic '${queue}' may not be included in the list of topics ('topics=[${names.join(', ')}]') consumed by the connector`,
      ],
    ])
  }
  if (regex !== '' && checkRegex(regex) === undefined && topicsRegex(regex).test(queue)) {
    return new Map([
      [
        'topics.regex',
        `The DLQ topic '${queue}' may not be matched by the regex for the topics ('topics.regex=${regex}') consumed by the connector`,
      ],
    ])
  }
  return new Map()
}

const onBoth = (message: string): ReadonlyMap<string, string> =>
  new Map([
    ['topics', message],
    ['topics.regex', message],
  ])

/** A copy of `value` with one more error. */
export const withError = (value: ConfigValue, error: string): ConfigValue => ({
  ...value,
  errors: [...value.errors, error],
})

function checkRegex(text: string): string | undefined {
  try {
    topicsRegex(text)
    return undefined
  } catch (error) {
    return `Invalid regex: ${error instanceof Error ? error.message : String(error)}`
  }
}

const oneOfIgnoringCase = (value: string, values: readonly string[]): string | undefined =>
  values.includes(value.toUpperCase())
    ? undefined
    : `String must be one of (case insensitive): ${values.join(', ')}`
