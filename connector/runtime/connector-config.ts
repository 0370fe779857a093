import {
  boolean,
  ConfigDef,
  type ConfigKeys,
  type ConfigOf,
  int,
  list,
  long,
  oneOf,
  short,
  string,
} from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'

const noDuplicates = (values: readonly string[]): string | undefined =>
  new Set(values).size === values.length ? undefined : 'Duplicate alias provided.'

function checkName(name: string): string | undefined {
  if (name.trim() === '') return 'String may not be empty'
  // No URL can name it.
  if (/\p{Surrogate}/u.test(name)) return 'String may not contain unpaired surrogates'
  const controls = name.match(/\p{Cc}/gu) ?? []
  if (controls.length === 0) return undefined
  return `String may not contain control sequences but had the following ASCII chars: ${controls.map((char) => char.codePointAt(0)).join(', ')}`
}

/** A LONG that may be left out. */
const longOrNothing = (o: Omit<Parameters<typeof long>[0], 'default'>): ConfigKeys[string] => ({
  ...long(o),
  default: undefined,
  required: false,
})

function checkTopics(topics: readonly string[]): undefined {
  if (topics.includes('')) throw new ConfigError("Configuration 'topics' values must not be empty.")
  if (noDuplicates(topics) !== undefined) {
    throw new ConfigError("Configuration 'topics' values must not be duplicated.")
  }
}

/** What every connector may be configured with, under Kafka Connect's names, defaults and groups. */
export const COMMON_KEYS = {
  name: string({
    doc: 'Name of the connector, unique among all connectors.',
    importance: 'HIGH',
    group: 'Common',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Connector name',
    check: checkName,
  }),
  'connector.class': string({
    doc: 'Class or alias of the connector.',
    importance: 'HIGH',
    group: 'Common',
    order: 2,
    width: 'LONG',
    displayName: 'Connector class',
  }),
  'connector.plugin.version': string<string | undefined>({
    doc: 'Version of the connector, or a range of versions.',
    importance: 'MEDIUM',
    group: 'Common',
    order: 3,
    width: 'MEDIUM',
    displayName: 'Connector version',
    default: undefined,
  }),
  'tasks.max': int({
    doc: 'How many tasks the connector may have at most.',
    importance: 'HIGH',
    group: 'Common',
    order: 4,
    width: 'SHORT',
    displayName: 'Tasks max',
    default: 1,
    range: [1, 2 ** 31 - 1],
  }),
  'tasks.max.enforce': boolean({
    doc: 'Whether a connector that generates more tasks than tasks.max fails. Deprecated by Kafka Connect.',
    importance: 'LOW',
    group: 'Common',
    order: 5,
    width: 'SHORT',
    displayName: 'Enforce tasks max',
    default: true,
  }),
}

/** What happens to records on their way, and to those that fail. */
export const PROCESSING_KEYS = {
  transforms: list({
    doc: 'Aliases of the transformations to apply to records, in order.',
    importance: 'LOW',
    group: 'Transforms',
    order: 12,
    width: 'LONG',
    displayName: 'Transforms',
    default: [],
    check: noDuplicates,
  }),
  predicates: list({
    doc: 'Aliases of the predicates that transformations use.',
    importance: 'LOW',
    group: 'Predicates',
    order: 13,
    width: 'LONG',
    displayName: 'Predicates',
    default: [],
    check: noDuplicates,
  }),
  'config.action.reload': string({
    doc: 'What happens when a config provider’s value changes: none or restart.',
    importance: 'LOW',
    group: 'Common',
    order: 14,
    width: 'MEDIUM',
    displayName: 'Reload Action',
    default: 'restart',
    check: oneOf('none', 'restart'),
  }),
  'errors.retry.timeout': long({
    doc: 'How long a failed operation is retried, in milliseconds; -1: without end.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Retry Timeout for Errors',
    default: 0,
  }),
  'errors.retry.delay.max.ms': long({
    doc: 'Longest wait between two retries.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 2,
    width: 'MEDIUM',
    displayName: 'Maximum Delay Between Retries for Errors',
    default: 60_000,
  }),
  'errors.tolerance': string({
    doc: 'none: a record that cannot be processed fails the task; all: it is skipped.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 3,
    width: 'SHORT',
    displayName: 'Error Tolerance',
    default: 'none',
    check: oneOf('none', 'all'),
  }),
  'errors.log.enable': boolean({
    doc: 'Whether records that failed are logged.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 4,
    width: 'SHORT',
    displayName: 'Log Errors',
    default: false,
  }),
  'errors.log.include.messages': boolean({
    doc: 'Whether the log names topic, partition and offset of a failed record.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 5,
    width: 'SHORT',
    displayName: 'Log Error Details',
    default: false,
  }),
} satisfies ConfigKeys

/** What sources have besides. */
export const SOURCE_KEYS = {
  'topic.creation.groups': list({
    doc: 'Groups of topics that are made with settings of their own.',
    importance: 'LOW',
    group: 'Topic Creation',
    order: 1,
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
    order: 2,
    displayName: 'Exactly once support',
    default: 'requested',
    check: (value) => oneOfIgnoringCase(value, ['REQUIRED', 'REQUESTED']),
  }),
  'transaction.boundary': string({
    doc: 'Where transactions end: poll, interval or connector.',
    importance: 'MEDIUM',
    group: 'Exactly Once Support',
    width: 'SHORT',
    order: 3,
    displayName: 'Transaction Boundary',
    default: 'poll',
    check: (value) => oneOfIgnoringCase(value, ['INTERVAL', 'POLL', 'CONNECTOR']),
  }),
  'transaction.boundary.interval.ms': longOrNothing({
    doc: 'How often transactions end when transaction.boundary is interval; default: offset.flush.interval.ms.',
    importance: 'LOW',
    group: 'Exactly Once Support',
    order: 4,
    width: 'SHORT',
    displayName: 'Transaction boundary interval',
  }),
  'offsets.storage.topic': string<string | undefined>({
    doc: 'Offsets topic of this connector alone.',
    importance: 'LOW',
    group: 'offsets.topic',
    width: 'LONG',
    order: 1,
    displayName: 'Offsets topic',
    default: undefined,
    check: (topic) => (topic?.trim() === '' ? 'String must be non-empty' : undefined),
  }),
} satisfies ConfigKeys

/** What sinks have besides. */
export const SINK_KEYS = {
  topics: list({
    doc: 'Topics to read.',
    importance: 'HIGH',
    group: 'Common',
    width: 'LONG',
    order: 4,
    displayName: 'Topics',
    default: [],
    check: checkTopics,
  }),
  'topics.regex': string({
    doc: 'Java regular expression of the topics to read.',
    importance: 'HIGH',
    group: 'Common',
    width: 'LONG',
    order: 4,
    displayName: 'Topics regex',
    default: '',
    check: javaRegexProblem,
  }),
  'errors.deadletterqueue.topic.name': string({
    doc: 'Topic that records go to which cannot be processed; empty: none.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 6,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Name',
    default: '',
  }),
  'errors.deadletterqueue.topic.replication.factor': short({
    doc: 'Replication factor of the dead-letter queue when it is made.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 7,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Replication Factor',
    default: 3,
  }),
  'errors.deadletterqueue.context.headers.enable': boolean({
    doc: 'Whether records of the dead-letter queue tell in headers what went wrong.',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 8,
    width: 'MEDIUM',
    displayName: 'Enable Error Context Headers',
    default: false,
  }),
} satisfies ConfigKeys

export const SOURCE_CONNECTOR_CONFIG = new ConfigDef({
  ...COMMON_KEYS,
  ...PROCESSING_KEYS,
  ...SOURCE_KEYS,
})

export const SINK_CONNECTOR_CONFIG = new ConfigDef({
  ...COMMON_KEYS,
  ...PROCESSING_KEYS,
  ...SINK_KEYS,
})

export type SinkConnectorConfig = ConfigOf<typeof SINK_CONNECTOR_CONFIG>

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
  if (regex !== '' && javaRegexProblem(regex) === undefined && topicsRegex(regex).test(queue)) {
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

/** Why a pattern is no regular expression, or undefined. */
export function javaRegexProblem(text: string): string | undefined {
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
