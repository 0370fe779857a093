import { ConfigError } from '../api/errors.ts'
import { PACKED_READER } from './client-defaults.ts'
import type { ClientConfig } from './client.ts'
import { ANY_CLIENT, CONSUMER_ONLY, DANGEROUS, PRODUCER_ONLY } from './librdkafka-properties.ts'
import { checkKerberos, translateSecurity } from './security-config.ts'
import { Translation } from './translation.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'

export interface Translated {
  readonly config: ClientConfig
  /** Properties without a meaning here, e.g. `interceptor.classes`; worth a warning, no more. */
  readonly ignored: readonly string[]
}

/**
 * Translates the properties of a Java Kafka client to librdkafka's. Properties of librdkafka itself pass
 * through; those of another kind of client, and Java's own, are ignored and named.
 *
 * @throws ConfigError that names every problem, without any value of a secret.
 */
export function toLibrdkafka(kind: ClientKind, java: Readonly<Record<string, string>>): Translated {
  const t = new Translation(java)
  const servers = (t.take('bootstrap.servers') ?? t.take('metadata.broker.list') ?? '')
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '')
  if (servers.length === 0) t.problem('bootstrap.servers', 'required')
  for (const server of servers) {
    if (!/^.+:\d{1,5}$/.test(server)) t.problem('bootstrap.servers', `${server} is not host:port`)
  }
  t.set('bootstrap.servers', servers.join(','))
  translateSecurity(t)
  for (const rule of RULES) if (rule.kinds.includes(kind)) translate(t, rule)
  if (kind === 'consumer') translateGroup(t)
  for (const key of t.unread()) passThrough(t, kind, key)
  checkKerberos(t)
  if (t.problems.length > 0) throw new ConfigError(t.problems.join('; '))
  return { config: t.config, ignored: t.ignored }
}

function passThrough(t: Translation, kind: ClientKind, key: string): void {
  if (DANGEROUS.has(key)) {
    t.problem(key, 'is not allowed')
    return
  }
  const isKnown =
    ANY_CLIENT.has(key) ||
    (kind === 'producer' && PRODUCER_ONLY.has(key)) ||
    (kind === 'consumer' && CONSUMER_ONLY.has(key))
  const value = isKnown ? t.take(key) : undefined
  if (value !== undefined) t.set(key, value)
  else t.ignore(key)
}

interface Rule {
  readonly kinds: readonly ClientKind[]
  readonly from: string
  /** Default: `from`. */
  readonly to?: readonly string[]
  /** A whole number, brought into librdkafka's range where Java's is wider. */
  readonly range?: readonly [min: number, max: number]
  readonly oneOf?: readonly string[]
  /** What Java calls otherwise. */
  readonly values?: Readonly<Record<string, string>>
  readonly divideBy?: number
}

const INT_MAX = 2_147_483_647
const ALL: readonly ClientKind[] = ['producer', 'consumer', 'admin']
const PRODUCER: readonly ClientKind[] = ['producer']
const CONSUMER: readonly ClientKind[] = ['consumer']
const BOOLEAN = ['true', 'false']

const RULES: readonly Rule[] = [
  {
    kinds: ALL,
    from: 'metadata.max.age.ms',
    to: ['topic.metadata.refresh.interval.ms'],
    range: [10, 3_600_000],
  },
  { kinds: ALL, from: 'request.timeout.ms', to: ['socket.timeout.ms'], range: [10, 300_000] },
  { kinds: PRODUCER, from: 'request.timeout.ms', range: [1, 900_000] },
  { kinds: ALL, from: 'reconnect.backoff.ms', range: [0, 3_600_000] },
  { kinds: ALL, from: 'reconnect.backoff.max.ms', range: [0, 3_600_000] },
  { kinds: ALL, from: 'retry.backoff.ms', range: [1, 300_000] },
  { kinds: ALL, from: 'retry.backoff.max.ms', range: [1, 300_000] },
  { kinds: ALL, from: 'connections.max.idle.ms', range: [0, INT_MAX] },
  { kinds: ALL, from: 'socket.connection.setup.timeout.ms', range: [1_000, INT_MAX] },
  {
    kinds: ALL,
    from: 'send.buffer.bytes',
    to: ['socket.send.buffer.bytes'],
    range: [0, 100_000_000],
  },
  {
    kinds: ALL,
    from: 'receive.buffer.bytes',
    to: ['socket.receive.buffer.bytes'],
    range: [0, 100_000_000],
  },
  { kinds: PRODUCER, from: 'acks', oneOf: ['all', '-1', '0', '1'] },
  {
    kinds: PRODUCER,
    from: 'compression.type',
    oneOf: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  },
  { kinds: PRODUCER, from: 'compression.gzip.level', to: ['compression.level'], range: [-1, 9] },
  { kinds: PRODUCER, from: 'compression.lz4.level', to: ['compression.level'], range: [1, 12] },
  { kinds: PRODUCER, from: 'compression.zstd.level', to: ['compression.level'], range: [-1, 12] },
  { kinds: PRODUCER, from: 'linger.ms', range: [0, 900_000] },
  { kinds: PRODUCER, from: 'batch.size', range: [1, INT_MAX] },
  { kinds: PRODUCER, from: 'max.request.size', to: ['message.max.bytes'], range: [1_000, 1e9] },
  { kinds: PRODUCER, from: 'delivery.timeout.ms', range: [1, INT_MAX] },
  { kinds: PRODUCER, from: 'max.in.flight.requests.per.connection', range: [1, 1_000_000] },
  { kinds: PRODUCER, from: 'enable.idempotence', oneOf: BOOLEAN },
  { kinds: PRODUCER, from: 'retries', range: [0, INT_MAX] },
  {
    kinds: PRODUCER,
    from: 'buffer.memory',
    to: ['queue.buffering.max.kbytes'],
    range: [1, INT_MAX],
    divideBy: 1_024,
  },
  { kinds: PRODUCER, from: 'transaction.timeout.ms', range: [1_000, INT_MAX] },
  {
    kinds: CONSUMER,
    from: 'auto.offset.reset',
    oneOf: ['earliest', 'latest', 'none'],
    values: { none: 'error' },
  },
  { kinds: CONSUMER, from: 'isolation.level', oneOf: ['read_uncommitted', 'read_committed'] },
  { kinds: CONSUMER, from: 'enable.auto.commit', oneOf: BOOLEAN },
  { kinds: CONSUMER, from: 'auto.commit.interval.ms', range: [0, 86_400_000] },
  { kinds: CONSUMER, from: 'fetch.min.bytes', range: [1, 100_000_000] },
  { kinds: CONSUMER, from: 'fetch.max.bytes', range: [0, 2_147_483_135] },
  { kinds: CONSUMER, from: 'fetch.max.wait.ms', to: ['fetch.wait.max.ms'], range: [0, 300_000] },
  { kinds: CONSUMER, from: 'max.partition.fetch.bytes', range: [1, 1e9] },
  { kinds: CONSUMER, from: 'max.poll.interval.ms', range: [1, 86_400_000] },
  { kinds: CONSUMER, from: 'check.crcs', oneOf: BOOLEAN },
  { kinds: CONSUMER, from: 'allow.auto.create.topics', oneOf: BOOLEAN },
  { kinds: CONSUMER, from: PACKED_READER, oneOf: BOOLEAN },
]

function translate(t: Translation, rule: Rule): void {
  const value = t.take(rule.from)
  if (value === undefined) return
  const translated = rule.range === undefined ? choice(t, rule, value) : whole(t, rule, value)
  if (translated === undefined) return
  for (const to of rule.to ?? [rule.from]) t.set(to, translated)
}

function whole(
  t: Translation,
  { from, range, divideBy = 1 }: Rule,
  text: string,
): string | undefined {
  if (range === undefined || !/^-?\d{1,19}$/.test(text)) {
    t.problem(from, 'must be a whole number')
    return undefined
  }
  const number = Math.ceil(Number(text) / divideBy)
  return String(Math.min(Math.max(number, range[0]), range[1]))
}

function choice(
  t: Translation,
  { from, oneOf = [], values = {} }: Rule,
  text: string,
): string | undefined {
  const value = text.toLowerCase()
  if (!oneOf.includes(value)) {
    t.problem(from, `must be one of ${oneOf.join(', ')}`)
    return undefined
  }
  return values[value] ?? value
}

const CLASSIC_ONLY = [
  'session.timeout.ms',
  'heartbeat.interval.ms',
  'partition.assignment.strategy',
]

/** With KIP-848 the broker assigns, and sets the session: librdkafka refuses the classic protocol's properties. */
function translateGroup(t: Translation): void {
  const protocol = t.take('group.protocol')?.toLowerCase() ?? 'classic'
  if (protocol === 'consumer') {
    t.set('group.protocol', protocol)
    for (const key of CLASSIC_ONLY) if (t.take(key) !== undefined) t.ignore(key)
    return
  }
  if (protocol !== 'classic') t.problem('group.protocol', 'must be classic or consumer')
  t.set('group.protocol', 'classic')
  translate(t, { kinds: CONSUMER, from: 'session.timeout.ms', range: [1, 3_600_000] })
  translate(t, { kinds: CONSUMER, from: 'heartbeat.interval.ms', range: [1, 3_600_000] })
  // librdkafka refuses a session longer than that; Java does not.
  const session = Number(t.config['session.timeout.ms'] ?? 0)
  const poll = t.config['max.poll.interval.ms']
  if (poll !== undefined && Number(poll) < session) t.set('max.poll.interval.ms', String(session))
  translateAssignors(t)
}

const ASSIGNORS: Readonly<Record<string, string>> = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  CooperativeStickyAssignor: 'cooperative-sticky',
  range: 'range',
  roundrobin: 'roundrobin',
  'cooperative-sticky': 'cooperative-sticky',
}
const COOPERATIVE = 'cooperative-sticky'

function translateAssignors(t: Translation): void {
  const key = 'partition.assignment.strategy'
  const names = t.take(key)?.split(',') ?? []
  const assignors = names.flatMap((name) => {
    const simple = name.trim().slice(name.trim().lastIndexOf('.') + 1)
    const assignor = ASSIGNORS[simple]
    if (assignor === undefined)
      t.problem(key, `${simple} is not one of ${Object.keys(ASSIGNORS).join(', ')}`)
    return assignor === undefined ? [] : [assignor]
  })
  if (assignors.length === 0) return
  // librdkafka speaks one rebalance protocol at a time; Java's default names one assignor of each.
  const isCooperative = assignors[0] === COOPERATIVE
  const usable = assignors.filter((assignor) => (assignor === COOPERATIVE) === isCooperative)
  t.set(key, usable.join(','))
  if (usable.length < assignors.length) t.ignore(key)
}
