import { readFileSync } from 'node:fs'
import {
  boolean,
  ConfigDef,
  type ConfigOf,
  int,
  long,
  nonEmpty,
  oneOf,
  string,
} from '../api/config-def.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { type Compression, compressionProblem } from './compression.ts'
import {
  accountOf,
  accountUrlOf,
  CONNECTION_KEYS,
  optionalText,
  type Login,
  loginOf,
  proxyOf,
} from './connection-config.ts'
import { plainShape } from './plain-json.ts'
import type { RecordShape } from './record-shape.ts'
import { storedName } from './identifiers.ts'
import { officialKeyProblems } from './official-keys.ts'
import type { ProxySettings } from './http-proxy.ts'
import { parseTopicMap, type TopicToTable } from './topic-map.ts'

/** Keys and defaults are those of Snowflake's own connector (4.x) where it has the same thing. */
export const SNOWFLAKE_SINK_CONFIG = new ConfigDef({
  ...CONNECTION_KEYS,
  'snowflake.database.name': string({
    importance: 'HIGH',
    group: 'Tables',
    doc: 'The database to write to. Upper-cased unless in double quotes.',
    check: nonEmpty,
  }),
  'snowflake.schema.name': string({
    importance: 'HIGH',
    group: 'Tables',
    doc: 'The schema to write to. Upper-cased unless in double quotes.',
    check: nonEmpty,
  }),
  'snowflake.warehouse.name': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Tables',
    doc: 'The warehouse for the few SQL statements that make and alter tables; most need none.',
  }),
  'snowflake.error.table.warehouse.name': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Tables',
    doc: 'The warehouse to look up rejected rows in error tables with. Default: snowflake.warehouse.name.',
  }),
  'snowflake.topic2table.map': string({
    default: '',
    importance: 'HIGH',
    group: 'Tables',
    doc: 'Which table a topic goes to: topic:table, comma-separated; a topic may be a regular expression. Others go to a table named as the topic, upper-cased, with _ for what an identifier may not hold.',
    check: (value) => topicMapProblem(value),
  }),
  'snowflake.topic2table.map.regex.replacement': boolean({
    default: false,
    importance: 'LOW',
    group: 'Tables',
    doc: "Whether $1 … in a table's name stand for the groups of the topic's regular expression.",
  }),
  'snowflake.autocreate.table.type': string<'iceberg' | 'snowflake' | 'none'>({
    default: 'iceberg',
    importance: 'HIGH',
    group: 'Tables',
    doc: "What to make of a table that is missing: iceberg or snowflake make it from the records' schema, none waits a little and fails.",
    check: oneOf('iceberg', 'snowflake', 'none'),
  }),
  'snowflake.iceberg.create.table.options': string({
    default: '',
    importance: 'MEDIUM',
    group: 'Tables',
    doc: "Options of CREATE ICEBERG TABLE, e.g. EXTERNAL_VOLUME = 'VOLUME' BASE_LOCATION = 'mta/vp'. CATALOG = 'SNOWFLAKE' is always added.",
  }),
  'snowflake.schema.evolution': string<'add' | 'none'>({
    default: 'add',
    importance: 'MEDIUM',
    group: 'Tables',
    doc: 'What to do when a new schema version has a field that the table has no column for: add adds the column, none fails.',
    check: oneOf('add', 'none'),
  }),
  'snowflake.topic.recreated': string<'fail' | 'reset'>({
    default: 'fail',
    importance: 'MEDIUM',
    group: 'Records',
    doc: 'What to do when the topic is not the one that the stored position is of: fail, or reset to its beginning.',
    check: oneOf('fail', 'reset'),
  }),
  'behavior.on.null.values': string({
    default: 'default',
    importance: 'MEDIUM',
    group: 'Records',
    doc: 'What to do with a record without a value (tombstone): default writes a row with RECORD_METADATA only, ignore skips it.',
    check: (value) => oneOf('default', 'ignore')(value.toLowerCase()),
  }),
  'snowflake.json.schema.file': string<string | undefined>({
    ...optionalText,
    importance: 'MEDIUM',
    group: 'Records',
    doc: 'An Avro schema (.avsc) that describes values that come without a schema: plain JSON, or texts of JSON. Their table is made and changed by it.',
  }),
  'errors.tolerance': string<'none' | 'all'>({
    default: 'none',
    importance: 'MEDIUM',
    group: 'Records',
    doc: 'Whether records that cannot be written, and rows that Snowflake rejects, fail the task (none) or are reported and passed over (all).',
    check: oneOf('none', 'all'),
  }),
  'snowflake.streaming.linger.ms': int({
    default: 200,
    range: [0, 60_000],
    importance: 'MEDIUM',
    group: 'Streaming',
    doc: 'How long rows wait for others before they are sent.',
  }),
  'snowflake.streaming.compression': string<Compression>({
    default: 'auto',
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How requests are compressed: gzip; zstd, where Node has it (22.15 and later); auto takes zstd where it is there.',
    check: (value) => compressionProblem(value),
  }),
  'snowflake.streaming.max.request.bytes': int({
    default: 3_800_000,
    range: [10_000, 4_000_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'Largest compressed request; Snowflake takes 4 MB.',
  }),
  'snowflake.streaming.max.raw.bytes': int({
    default: 4_000_000,
    range: [10_000, 64_000_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'Uncompressed bytes of rows after which a request is sent at once.',
  }),
  'snowflake.streaming.max.rows': int({
    default: 50_000,
    range: [1, 1_000_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'Rows after which a request is sent at once.',
  }),
  'snowflake.streaming.buffer.bytes': int({
    default: 8_000_000,
    range: [100_000, 1_000_000_000],
    importance: 'MEDIUM',
    group: 'Streaming',
    doc: 'Bytes that a partition may hold before it is paused.',
  }),
  'snowflake.streaming.status.poll.ms': int({
    default: 500,
    range: [50, 60_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How often to ask for commits while there are rows that are not committed.',
  }),
  'snowflake.streaming.idle.poll.ms': int({
    default: 10_000,
    range: [1_000, 600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How often to ask for the state of channels that have nothing to commit.',
  }),
  'snowflake.streaming.requests.per.second': int({
    default: 10,
    range: [1, 1_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: "Requests with rows per second and partition; Snowflake's limit is 10.",
  }),
  'snowflake.streaming.bytes.per.second': long({
    default: 20_000_000,
    range: [100_000, 1_000_000_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: "Uncompressed bytes per second and partition; Snowflake's limit is 20 MB.",
  }),
  'snowflake.streaming.request.timeout.ms': int({
    default: 30_000,
    range: [100, 600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How long one request may take altogether.',
  }),
  'snowflake.streaming.retry.backoff.max.ms': int({
    default: 10_000,
    range: [100, 600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'Longest wait between two tries while Snowflake does not answer.',
  }),
  'snowflake.streaming.commit.stall.ms': int({
    default: 20_000,
    range: [1_000, 3_600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'After how long without a commit a partition counts as stalled: it is reported, and its channel opened again.',
  }),
  'snowflake.streaming.uncommitted.timeout.ms': int({
    default: 120_000,
    range: [0, 3_600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How long to wait for rows of an earlier writer to be committed before a channel is opened by force; those rows are read again then.',
  }),
  'snowflake.streaming.missing.timeout.ms': int({
    default: 60_000,
    range: [0, 3_600_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How long to wait for a table or pipe that is missing or not accessible before the task fails.',
  }),
  'snowflake.streaming.reopen.max': int({
    default: 8,
    range: [1, 1_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How many times in a row a channel may become invalid without any progress before the task fails.',
  }),
  'snowflake.sql.timeout.ms': int({
    default: 30_000,
    range: [1_000, 600_000],
    importance: 'LOW',
    group: 'Tables',
    doc: 'How long one SQL statement may take, including its connection.',
  }),
  'snowflake.streaming.stop.timeout.ms': int({
    default: 3_000,
    range: [0, 60_000],
    importance: 'LOW',
    group: 'Streaming',
    doc: 'How long a stopping task waits for its last rows to be committed. The rest is read again by the next one.',
  }),
})

type Parsed = ConfigOf<typeof SNOWFLAKE_SINK_CONFIG>

/** The configuration, checked as a whole. */
export interface SinkConfig {
  readonly values: Parsed
  readonly accountUrl: string
  readonly account: string
  readonly user: string
  readonly role: string | undefined
  readonly login: Login
  readonly proxy: ProxySettings | undefined
  readonly database: string
  readonly schema: string
  readonly tableOf: TopicToTable
  /** Of values without a schema; undefined: whatever columns the table has. */
  readonly plainShape: RecordShape | undefined
}

function topicMapProblem(text: string): string | undefined {
  const parsed = parseTopicMap(text, false)
  return typeof parsed === 'string' ? parsed : undefined
}

/** What is to be said about keys that are not of this connector. */
export const keyProblems = (props: Props): ReturnType<typeof officialKeyProblems> =>
  officialKeyProblems(props, Object.keys(SNOWFLAKE_SINK_CONFIG.keys))

/** What is wrong beyond single keys: the private key, and settings of Snowflake's own connector that are not supported. */
export function wholeProblems(props: Props): readonly string[] {
  const problems: string[] = []
  attempt(problems, () => loginOf(props))
  attempt(problems, () => proxyOf(props))
  attempt(problems, () => plainShapeOf(props))
  return [...problems, ...keyProblems(props).errors]
}

/** @throws ConfigError naming every problem, not only the first. */
export function parseSinkConfig(props: Props): SinkConfig {
  const problems: string[] = []
  const values = attempt(problems, () => SNOWFLAKE_SINK_CONFIG.parse(props))
  const login = attempt(problems, () => loginOf(props))
  const proxy = attempt(problems, () => proxyOf(props))
  const plain = attempt(problems, () => plainShapeOf(props))
  problems.push(...keyProblems(props).errors)
  if (values === undefined || login === undefined || problems.length > 0) {
    throw new ConfigError(problems.join('\n'))
  }
  const url = accountUrlOf(values['snowflake.url.name'])
  const map = parseTopicMap(
    values['snowflake.topic2table.map'],
    values['snowflake.topic2table.map.regex.replacement'],
  )
  if (typeof url === 'string' || typeof map === 'string') throw new ConfigError(String(url))
  return {
    values,
    accountUrl: url.origin,
    account: values['snowflake.account.name'] ?? accountOf(url),
    user: values['snowflake.user.name'],
    role: values['snowflake.role.name'],
    login,
    proxy,
    database: storedName(values['snowflake.database.name']),
    schema: storedName(values['snowflake.schema.name']),
    tableOf: map,
    plainShape: plain,
  }
}

function plainShapeOf(props: Props): RecordShape | undefined {
  const file = props['snowflake.json.schema.file']?.trim()
  if (file === undefined || file === '') return undefined
  try {
    return plainShape(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new ConfigError(
      `Invalid value ${file} for configuration snowflake.json.schema.file: ${toMessage(cause)}`,
      { cause },
    )
  }
}

function attempt<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    problems.push(toMessage(error))
    return undefined
  }
}
