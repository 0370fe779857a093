import {
  boolean,
  type ConfigOf,
  ConfigDef,
  classNameKey,
  int,
  list,
  long,
  nonEmpty,
  oneOf,
  password,
  string,
} from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Password } from '../api/password.ts'
import type { Props } from '../api/task-context.ts'
import { TASK_RESTART_CONFIG } from './task-restarts.ts'
import { overridePolicy } from './client-override-validation.ts'

const MEGABYTE = 1024 * 1024

/** What `connect.properties` may hold: Kafka Connect's own keys, and below them ours. */
export const WORKER_CONFIG = new ConfigDef({
  'bootstrap.servers': list({
    importance: 'HIGH',
    doc: 'Kafka brokers to begin with, as host:port.',
    default: ['localhost:9092'],
    check: (servers) => (servers.length === 0 ? 'names no broker' : undefined),
  }),
  'key.converter': classNameKey({ importance: 'HIGH', doc: 'Converter of record keys.' }),
  'value.converter': classNameKey({ importance: 'HIGH', doc: 'Converter of record values.' }),
  'header.converter': classNameKey({
    importance: 'LOW',
    doc: 'Converter of record headers.',
    default: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  }),
  'offset.storage.file.filename': string({
    importance: 'HIGH',
    doc: 'File that source offsets are kept in (standalone mode), in the format of Kafka Connect.',
    check: nonEmpty,
  }),
  'task.shutdown.graceful.timeout.ms': long({
    importance: 'LOW',
    doc: 'How long tasks may take to stop, all of them together, before they are cancelled.',
    default: 5_000,
    range: [0, 3_600_000],
  }),
  'offset.flush.interval.ms': long({
    importance: 'LOW',
    doc: 'How often source offsets are stored and sink offsets committed.',
    default: 60_000,
    range: [1, 86_400_000],
  }),
  'offset.flush.timeout.ms': long({
    importance: 'LOW',
    doc: 'How long storing or committing offsets may take.',
    default: 5_000,
    range: [1, 3_600_000],
  }),
  'config.providers': list({
    importance: 'LOW',
    doc: 'Aliases of config providers; each has config.providers.<alias>.class and .param.*.',
    default: [],
  }),
  'plugin.path': list({
    importance: 'LOW',
    doc: 'Folders and npm packages with plugins: connectors, converters, transformations, predicates, config providers and REST extensions.',
    default: [],
  }),
  'plugin.discovery': string({
    importance: 'LOW',
    doc: 'Accepted for Kafka Connect’s sake; plugins are always found through what their modules export.',
    default: 'hybrid_warn',
    check: (mode) =>
      ['only_scan', 'hybrid_warn', 'hybrid_fail', 'service_load'].includes(mode.toLowerCase())
        ? undefined
        : 'String must be one of (case insensitive): SERVICE_LOAD, HYBRID_FAIL, ONLY_SCAN, HYBRID_WARN',
  }),
  'connector.client.config.override.policy': string({
    importance: 'LOW',
    doc: 'Which client settings a connector may override: All, None or Principal.',
    default: 'All',
    check: (policy) =>
      overridePolicy(policy) === undefined
        ? "Expected All, None, Principal or one of Kafka's classes for these"
        : undefined,
  }),
  'topic.tracking.enable': boolean({
    importance: 'LOW',
    doc: 'Whether the topics that each connector uses are recorded.',
    default: true,
  }),
  'topic.tracking.allow.reset': boolean({
    importance: 'LOW',
    doc: 'Whether a request may reset the topics that a connector used.',
    default: true,
  }),
  'topic.creation.enable': boolean({
    importance: 'LOW',
    doc: 'Whether topics are made for source connectors that have topic.creation.* settings.',
    default: true,
  }),
  listeners: list({
    importance: 'LOW',
    doc: 'Addresses of the REST API, as http://host:port or https://host:port.',
    default: ['http://127.0.0.1:8083'],
    check: checkListeners,
  }),
  'listeners.insecure': boolean({
    importance: 'LOW',
    doc: 'Allows a listener beyond this machine that has neither TLS nor authentication.',
    default: false,
  }),
  'admin.listeners': string<string | undefined>({
    importance: 'LOW',
    doc: 'Addresses of /admin/loggers alone; not set: those of listeners, empty: nowhere.',
    default: undefined,
    check: (text) =>
      text === undefined || text.trim() === '' ? undefined : checkListeners(text.split(/\s*,\s*/)),
  }),
  'rest.basic.auth.credentials.file': string<string | undefined>({
    importance: 'MEDIUM',
    doc: 'Properties file of the users of the REST API and the page, name=password; set: they must authenticate.',
    default: undefined,
  }),
  'rest.basic.auth.username': string<string | undefined>({
    importance: 'MEDIUM',
    doc: 'A user of the REST API and the page; set: users must authenticate.',
    default: undefined,
  }),
  'rest.basic.auth.password': password<Password | undefined>({
    importance: 'MEDIUM',
    doc: 'Password of rest.basic.auth.username, best as a reference to a config provider.',
    default: undefined,
  }),
  'rest.basic.auth.open.paths': list({
    importance: 'LOW',
    doc: 'Paths that need no authentication: /health and /metrics, for probes and scrapers that cannot.',
    default: [],
    check: (paths) => {
      const other = paths.find((path) => path !== '/health' && path !== '/metrics')
      return other === undefined ? undefined : `Only /health and /metrics may be open, not ${other}`
    },
  }),
  'rest.advertised.host.name': string<string | undefined>({
    importance: 'LOW',
    doc: 'Host that other workers and the worker id use.',
    default: undefined,
  }),
  'rest.advertised.port': int({
    importance: 'LOW',
    doc: 'Port that other workers and the worker id use; 0: the listener’s own.',
    default: 0,
    range: [0, 65_535],
  }),
  'rest.extension.classes': list({
    importance: 'LOW',
    doc: 'Classes that add to the REST API.',
    default: [],
  }),
  'access.control.allow.origin': string({
    importance: 'LOW',
    doc: 'Access-Control-Allow-Origin; empty: no cross-origin requests.',
    default: '',
  }),
  'access.control.allow.methods': string({
    importance: 'LOW',
    doc: 'Methods of cross-origin requests; empty: GET,POST,HEAD.',
    default: '',
  }),
  'response.http.headers.config': string({
    importance: 'LOW',
    doc: 'Headers of every answer, as comma-separated `set|add Name: value`.',
    default: '',
  }),
  'rest.request.body.max.bytes': int({
    importance: 'LOW',
    doc: 'Largest request body of the REST API.',
    default: MEGABYTE,
    range: [1_024, 64 * MEGABYTE],
  }),
  'rest.mask.passwords': boolean({
    importance: 'LOW',
    doc: 'Whether REST shows the passwords of connector configurations as [hidden]; who sends that back keeps the stored value.',
    default: false,
  }),
  'rest.headers.timeout.ms': int({
    importance: 'LOW',
    doc: 'How long a client may take to send the headers of a request.',
    default: 10_000,
    range: [100, 3_600_000],
  }),
  'rest.receive.timeout.ms': int({
    importance: 'LOW',
    doc: 'How long a client may take to send a whole request.',
    default: 60_000,
    range: [100, 3_600_000],
  }),
  'rest.connections.max': int({
    importance: 'LOW',
    doc: 'Open connections of one listener; more are closed at once.',
    default: 1_000,
    range: [1, 100_000],
  }),
  'rest.request.timeout.ms': long({
    importance: 'LOW',
    doc: 'How long a REST request may wait for the worker.',
    default: 90_000,
    range: [100, 3_600_000],
  }),
  'plugin.call.timeout.ms': long({
    importance: 'LOW',
    doc: 'How long a connector’s start, taskConfigs or validate may take before it counts as failed.',
    default: 30_000,
    range: [100, 3_600_000],
  }),
  'task.call.timeout.ms': long({
    importance: 'LOW',
    doc: 'How long a task’s start, put, open, close, preCommit, commit or a conversion may take before the task fails; a poll may wait as long as it likes.',
    default: 300_000,
    range: [100, 86_400_000],
  }),
  'event.loop.block.limit.ms': long({
    importance: 'LOW',
    doc: 'How long a plugin may keep everything else from running before it is named in the log and /health is 500.',
    default: 5_000,
    range: [100, 3_600_000],
  }),
  ...TASK_RESTART_CONFIG.keys,
  'consumer.buffer.bytes': long({
    importance: 'MEDIUM',
    doc: 'What all consumers of this worker may prefetch, together; divided among sink tasks. Once it is used up each further task gets 512 KiB beyond it, with a warning. What producers have queued (buffer.memory, each) is not part of it.',
    default: 64 * MEGABYTE,
    range: [MEGABYTE, 64 * 1024 * MEGABYTE],
  }),
  'log.level': string({
    importance: 'LOW',
    doc: 'Level of the log; may be changed at run time by PUT /admin/loggers/root.',
    default: 'INFO',
    check: oneOf('OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'),
  }),
})

export type WorkerConfig = ConfigOf<typeof WORKER_CONFIG>

/** The worker's settings, typed. Throws one `ConfigError` that names every problem. */
export function parseWorkerConfig(props: Props): WorkerConfig {
  const problems = Object.entries(props).flatMap(([key, value]) =>
    key.startsWith('config.providers.') && key.endsWith('.class') && value.trim() === ''
      ? [`Invalid value for configuration ${key}: names no class`]
      : [],
  )
  let config: WorkerConfig | undefined
  try {
    config = WORKER_CONFIG.parse(props)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.unshift(error.message)
  }
  for (const alias of config?.['config.providers'] ?? []) {
    if (props[`config.providers.${alias}.class`] === undefined) {
      problems.push(
        `Missing required configuration "config.providers.${alias}.class" which has no default value.`,
      )
    }
  }
  if (config === undefined || problems.length > 0) throw new ConfigError(problems.join('\n'))
  return config
}

const PASSED_ON =
  /^(producer|consumer|admin|key\.converter|value\.converter|header\.converter|config\.providers|ssl|sasl|listeners\.https?|metrics|metric|plugin|client|security|connections|reconnect|request|retry|metadata|receive|send)\./

/** Keys that nobody reads, for a warning. */
export const unknownWorkerKeys = (props: Props): string[] =>
  Object.keys(props).filter((key) => !(key in WORKER_CONFIG.keys) && !PASSED_ON.test(key))

function checkListeners(listeners: readonly string[]): string | undefined {
  if (listeners.length === 0) return 'names no listener'
  for (const listener of listeners) {
    if (!/^https?:\/\/[^/]*:\d+\/?$/.test(listener)) {
      return `Expected http://host:port or https://host:port, got ${listener}`
    }
  }
  return undefined
}
