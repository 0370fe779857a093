import {
  boolean,
  ConfigDef,
  type ConfigOf,
  int,
  list,
  oneOf,
  password,
  string,
} from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Password } from '../api/password.ts'

const STRATEGIES = ['TopicNameStrategy', 'RecordNameStrategy', 'TopicRecordNameStrategy'] as const
export type SubjectNameStrategy = (typeof STRATEGIES)[number]
const STRATEGY_PACKAGE = 'io.confluent.kafka.serializers.subject.'

// Typed as text, or the definitions would take nothing else.
const SOURCE_URL: string = 'URL'
const SOURCE_TOKEN: string = 'STATIC_TOKEN'

const strategy = (part: string) =>
  string({
    importance: 'MEDIUM',
    doc: `How the registry's subject of a ${part} is named: ${STRATEGIES.join(', ')}, alone or with Confluent's package.`,
    default: `${STRATEGY_PACKAGE}TopicNameStrategy`,
    check: (value) => {
      if (STRATEGIES.includes(simpleName(value) as SubjectNameStrategy)) return undefined
      return `Expected one of ${STRATEGIES.join(', ')}`
    },
  })
const simpleName = (value: string): string =>
  value.startsWith(STRATEGY_PACKAGE) ? value.slice(STRATEGY_PACKAGE.length) : value

/** What the AvroConverter can be configured with, under Confluent's names. */
export const AVRO_CONVERTER_CONFIG = new ConfigDef({
  'schema.registry.url': list({
    importance: 'HIGH',
    doc: 'Addresses of the schema registry. The next one is asked when one does not answer.',
    check: (urls) => (urls.length === 0 ? 'names no registry' : urls.map(wrongUrl).find(Boolean)),
  }),
  'basic.auth.credentials.source': string({
    importance: 'MEDIUM',
    doc: 'Where the user and password come from: URL (in the address) or USER_INFO.',
    default: SOURCE_URL,
    check: oneOf('URL', 'USER_INFO'),
  }),
  'basic.auth.user.info': password<Password | undefined>({
    importance: 'MEDIUM',
    doc: 'user:password, with basic.auth.credentials.source=USER_INFO.',
    default: undefined,
  }),
  'schema.registry.basic.auth.user.info': password<Password | undefined>({
    importance: 'LOW',
    doc: 'Older name of basic.auth.user.info.',
    default: undefined,
  }),
  'bearer.auth.credentials.source': string({
    importance: 'LOW',
    doc: 'STATIC_TOKEN takes bearer.auth.token.',
    default: SOURCE_TOKEN,
    check: oneOf('STATIC_TOKEN'),
  }),
  'bearer.auth.token': password<Password | undefined>({
    importance: 'LOW',
    doc: 'A token for the Authorization header.',
    default: undefined,
  }),
  'auto.register.schemas': boolean({
    importance: 'MEDIUM',
    doc: 'Registers schemas that are new. False: they must be there.',
    default: true,
  }),
  'use.latest.version': boolean({
    importance: 'LOW',
    doc: "Writes with the subject's latest schema instead of the record's; needs auto.register.schemas=false.",
    default: false,
  }),
  'latest.compatibility.strict': boolean({
    importance: 'LOW',
    doc: "Refuses records whose schema the subject's latest one cannot read, with use.latest.version.",
    default: true,
  }),
  'normalize.schemas': boolean({
    importance: 'LOW',
    doc: 'Lets the registry normalise schemas before it looks them up.',
    default: false,
  }),
  'key.subject.name.strategy': strategy('key'),
  'value.subject.name.strategy': strategy('value'),
  'connect.meta.data': boolean({
    importance: 'LOW',
    doc: "Keeps Connect's names, versions, docs and parameters as Avro attributes.",
    default: true,
  }),
  'enhanced.avro.schema.support': boolean({
    importance: 'LOW',
    doc: 'Keeps enums as enums, and names the fields of unions by full names.',
    default: false,
  }),
  'schemas.cache.config': int({
    importance: 'LOW',
    doc: 'How many schemas are kept in memory.',
    default: 1000,
    range: [1, 1_000_000],
  }),
  'http.read.timeout.ms': int({
    importance: 'LOW',
    doc: 'The limit for one request to the registry, connection and answer together.',
    default: 10_000,
    range: [1, 3_600_000],
  }),
  'max.retries': int({
    importance: 'LOW',
    doc: 'How often a request that failed for a passing reason is made again.',
    default: 8,
    range: [0, 1000],
  }),
  'retries.wait.ms': int({
    importance: 'LOW',
    doc: 'The wait before the first retry; it doubles with each.',
    default: 500,
    range: [0, 3_600_000],
  }),
  'retries.max.wait.ms': int({
    importance: 'LOW',
    doc: 'The longest wait before a retry.',
    default: 8_000,
    range: [0, 3_600_000],
  }),
})
export type AvroConverterConfig = ConfigOf<typeof AVRO_CONVERTER_CONFIG>

/** The strategy for keys or for values. */
export function strategyOf(config: AvroConverterConfig, isKey: boolean): SubjectNameStrategy {
  const key = isKey ? 'key.subject.name.strategy' : 'value.subject.name.strategy'
  return simpleName(config[key]) as SubjectNameStrategy
}

export interface RegistryAddress {
  /** Without user, password and a slash at the end. */
  readonly url: string
  readonly auth: { readonly username: string; readonly password: string } | undefined
}

/** Each address with its credentials. Throws a `ConfigError` when those are asked for and missing. */
export function addressesOf(config: AvroConverterConfig): readonly RegistryAddress[] {
  const info = (
    config['basic.auth.user.info'] ?? config['schema.registry.basic.auth.user.info']
  )?.reveal()
  const fromInfo = config['basic.auth.credentials.source'] === 'USER_INFO'
  const colon = info?.indexOf(':') ?? -1
  if (fromInfo && (info === undefined || colon < 1)) {
    throw new ConfigError(
      'basic.auth.credentials.source=USER_INFO needs basic.auth.user.info as user:password.',
    )
  }
  return config['schema.registry.url'].map((text) => {
    const url = new URL(text)
    const inUrl = {
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    }
    const given = { username: info?.slice(0, colon) ?? '', password: info?.slice(colon + 1) ?? '' }
    const auth = fromInfo ? given : inUrl
    return {
      url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''),
      auth: auth.username === '' ? undefined : auth,
    }
  })
}

function wrongUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const legal = url?.protocol === 'http:' || url?.protocol === 'https:'
  return legal ? undefined : 'each must be an http or https address'
}
