import type { ConfigDef, ConfigKeyInfo, ConfigValue } from '../api/config-def.ts'
import type { SinkConnector, SourceConnector } from '../api/connector.ts'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { clientProperties } from './client-properties.ts'
import { converterProblems } from './converter-validation.ts'
import { checkSinkTopics, frameworkConfig, withError } from './connector-config.ts'
import {
  BadRequestError,
  type ConfigInfo,
  type ConfigInfos,
  type RequestedConfig,
} from './herder.ts'
import { withLimit } from './limits.ts'
import { classNotFound, type PluginDescriptor, type PluginKind } from './plugins.ts'
import type { WorkerServices } from './worker-services.ts'

const PRINCIPAL_KEYS = new Set(['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'])
const NUMERIC_WITH_RANGE = new Set(['tasks.max'])
const SINK_GROUPS = ['Common', 'Transforms', 'Predicates', 'Error Handling']
const SOURCE_GROUPS = [...SINK_GROUPS, 'Topic Creation', 'Exactly Once Support', 'offsets.topic']

type Connector = SourceConnector | SinkConnector

/** Everything that is known to be wrong with a connector configuration, by key. No side effects beyond the connector's own `validate`. */
export async function validateConfig(
  requested: RequestedConfig,
  services: WorkerServices,
): Promise<ConfigInfos> {
  const { config, clock, transformer } = services
  const nulls = Object.keys(requested).filter((key) => requested[key] === null)
  const given = withoutNulls(requested)
  const props = await transformer.resolve(given)
  const className = props['connector.class']
  if (className === undefined) {
    throw new BadRequestError(`Connector config ${javaMap(given)} contains no connector type`)
  }
  const { connector, descriptor } = await findConnector(services, className)
  const kind = descriptor.kind === 'sink' ? 'sink' : 'source'
  const own = await withLimit(
    `validate of ${className}`,
    (async (): Promise<readonly ConfigValue[]> => connector.validate(props))(),
    { clock, limitMs: config['plugin.call.timeout.ms'] },
  )
  const configs = merge(frameworkInfos(kind, props), ownInfos(connector, own))
  const extra = [
    ...nulls.map(nullValue),
    ...overrideErrors(props, config['connector.client.config.override.policy']),
    ...versionErrors(props, descriptor),
    ...clientErrors(kind, props, services),
    ...(await pluginErrors(props, services)),
  ]
  const all = attach(configs, extra)
  const groups = new Set([
    ...(kind === 'sink' ? SINK_GROUPS : SOURCE_GROUPS),
    ...all.flatMap(({ definition }) => (definition?.group ? [definition.group] : [])),
  ])
  return {
    name: descriptor.className,
    errorCount: all.reduce((count, { value }) => count + value.errors.length, 0),
    groups: [...groups],
    configs: all,
  }
}

/** Keys of plugins inside a connector's configuration, which have definitions of their own. */
const FOREIGN =
  /^((key|value|header)\.converter|transforms|predicates|(producer|consumer|admin)\.override|topic\.creation|errors|config\.action)\./

/** Keys that neither the framework nor the connector knows: misspelt, or of another version. */
export const unknownKeys = (requested: RequestedConfig, infos: ConfigInfos): readonly string[] => {
  const known = new Set(infos.configs.map(({ value }) => value.name))
  return Object.keys(requested).filter((key) => !known.has(key) && !FOREIGN.test(key))
}

async function findConnector(services: WorkerServices, className: string) {
  if (services.plugins.find(className, 'source', 'sink') !== undefined) {
    return services.plugins.connector(className)
  }
  try {
    return await services.plugins.connector(className)
  } catch (error) {
    // A client's mistake, which Kafka Connect 4.3.1 answers with 400 and the exception's class in front.
    const prefix = className === '' ? '' : `${ConnectError.javaClassName}: `
    throw new BadRequestError(prefix + toMessage(error), { cause: error })
  }
}

/** Throws Kafka Connect's 400 when the configuration has errors. */
export function requireValid(infos: ConfigInfos): void {
  if (infos.errorCount === 0) return
  const messages = infos.configs.flatMap(({ value }) => value.errors)
  throw new BadRequestError(
    [
      `Connector configuration is invalid and contains the following ${infos.errorCount} error(s):`,
      ...messages,
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
    ].join('\n'),
  )
}

/** What a connector class or another plugin can be configured with, the framework's keys after a connector's own. */
export async function pluginConfigInfos(
  descriptor: PluginDescriptor,
  services: WorkerServices,
): Promise<readonly ConfigKeyInfo[]> {
  const own = (await services.plugins.configDef(descriptor))?.infos() ?? []
  if (descriptor.kind !== 'source' && descriptor.kind !== 'sink') return own
  const names = new Set(own.map(({ name }) => name))
  const framework = frameworkConfig(descriptor.kind).infos()
  return [...own, ...framework.filter(({ name }) => !names.has(name))]
}

const withoutNulls = (requested: RequestedConfig): Props =>
  Object.fromEntries(
    Object.entries(requested).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  )

/** A map as Java prints it. Values that may be secrets do not belong in it, so only keys and the name are shown. */
const javaMap = (props: Props): string =>
  `{${Object.entries(props)
    .map(
      ([key, value]) =>
        `${key}=${/secret|password|key|token|jaas/i.test(key) ? '[hidden]' : value}`,
    )
    .join(', ')}}`

function frameworkInfos(kind: 'source' | 'sink', props: Props): ConfigInfo[] {
  const def: ConfigDef = frameworkConfig(kind)
  const topicErrors = kind === 'sink' ? checkSinkTopics(props) : new Map<string, string>()
  const values = def.validate(props).map((value) => {
    const topicError = topicErrors.get(value.name)
    const isUnparsed = value.errors.some((error) => error.includes('Not a number'))
    if (topicError !== undefined) return withError(value, topicError)
    if (!NUMERIC_WITH_RANGE.has(value.name) || !isUnparsed) return value
    const message = `Invalid value null for configuration ${value.name}: Value must be non-null`
    return withError({ ...value, value: null }, message)
  })
  const definitions = def.infos()
  return values.map((value, index) => ({ definition: definitions[index] ?? null, value }))
}

function ownInfos(connector: Connector, values: readonly ConfigValue[]): ConfigInfo[] {
  const definitions = new Map(
    connector
      .config()
      .infos()
      .map((info) => [info.name, info]),
  )
  return values.flatMap((value) => {
    const definition = definitions.get(value.name) ?? null
    return definition === null && value.errors.length === 0 ? [] : [{ definition, value }]
  })
}

/** The framework's keys, each replaced by the connector's own of that name; then the connector's other keys. */
function merge(framework: readonly ConfigInfo[], own: readonly ConfigInfo[]): ConfigInfo[] {
  const byName = new Map(own.map((info) => [info.value.name, info]))
  const merged = framework.map((info) => {
    const replacement = byName.get(info.value.name)
    byName.delete(info.value.name)
    return replacement ?? info
  })
  return [...merged, ...byName.values()]
}

function attach(configs: readonly ConfigInfo[], extra: readonly ConfigValue[]): ConfigInfo[] {
  const all = [...configs]
  const unknown: ConfigInfo[] = []
  for (const value of extra) {
    const index = all.findIndex((info) => info.value.name === value.name)
    const known = all[index]
    if (known === undefined) unknown.push({ definition: null, value })
    else {
      const errors = [...known.value.errors, ...value.errors]
      all[index] = { ...known, value: { ...known.value, errors } }
    }
  }
  return [...unknown, ...all]
}

const problem = (name: string, value: string | null, error: string): ConfigValue => ({
  name,
  value,
  recommendedValues: [],
  errors: [error],
  visible: true,
})

const nullValue = (name: string): ConfigValue =>
  problem(name, null, 'Null value can not be supplied as the configuration value.')

function overrideErrors(props: Props, policy: string): ConfigValue[] {
  if (policy === 'All') return []
  return Object.keys(props).flatMap((key) => {
    const match = /^(producer|consumer|admin)\.override\.(.+)$/.exec(key)
    const setting = match?.[2]
    if (setting === undefined) return []
    if (policy === 'Principal' && PRINCIPAL_KEYS.has(setting)) return []
    const message = `The '${policy}' policy does not allow '${setting}' to be overridden in the connector configuration.`
    return [problem(key, '[hidden]', message)]
  })
}

/** Only the version that is there can be asked for (KIP-891). */
function versionErrors(props: Props, { className, version }: PluginDescriptor): ConfigValue[] {
  const key = 'connector.plugin.version'
  const wanted = props[key]?.trim()
  if (wanted === undefined || ['', 'latest', version].includes(wanted)) return []
  const bounds = /^([[(])([^,]*),([^,]*)([\])])$/.exec(wanted)
  if (bounds !== null && isWithin(version, bounds)) return []
  const range = bounds === null ? `[${wanted},${wanted}]` : wanted
  const message = `Plugin ${className} not found that matches the version range ${range}, available versions: [${version}]`
  return [problem(key, wanted, message)]
}

/** Maven's version ranges, as KIP-891 takes them: `[1.0,2.0)`, either bound may be missing. */
function isWithin(
  version: string,
  [, open, low = '', high = '', close]: readonly string[],
): boolean {
  const isAbove = low === '' || compareVersions(version, low) >= (open === '[' ? 0 : 1)
  const isBelow = high === '' || compareVersions(version, high) <= (close === ']' ? 0 : -1)
  return isAbove && isBelow
}

const compareVersions = (a: string, b: string): number =>
  Math.sign(a.localeCompare(b, 'en', { numeric: true }))

/** Client settings that the client would refuse when a task starts. */
function clientErrors(
  kind: 'source' | 'sink',
  props: Props,
  services: WorkerServices,
): ConfigValue[] {
  const client = kind === 'source' ? 'producer' : 'consumer'
  const prefix = `${client}.override.`
  if (!Object.keys(props).some((key) => key.startsWith(prefix))) return []
  const java = { 'group.id': 'connect', ...clientProperties(client, services.props, props) }
  try {
    services.translate(client, java)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [problem(`${client}.override`, null, error.message)]
  }
}

/** Classes that are named and cannot be found or configured: converters, transformations, predicates. */
async function pluginErrors(props: Props, services: WorkerServices): Promise<ConfigValue[]> {
  const named: [string, PluginKind][] = []
  for (const alias of aliases(props['transforms'])) {
    named.push([`transforms.${alias}.type`, 'transformation'])
  }
  for (const alias of aliases(props['predicates'])) {
    named.push([`predicates.${alias}.type`, 'predicate'])
  }
  const converters = await converterProblems(props, services.plugins)
  const problems = converters.map(({ key, message }) => problem(key, null, message))
  for (const [key, kind] of named) {
    const error = await pluginError(props, services, [key, kind])
    if (error !== undefined) problems.push(error)
  }
  return problems
}

async function pluginError(
  props: Props,
  services: WorkerServices,
  [key, kind]: [string, PluginKind],
): Promise<ConfigValue | undefined> {
  const name = props[key]?.trim()
  if (name === undefined) {
    const message = `Missing required configuration "${key}" which has no default value.`
    return key.endsWith('.type') ? problem(key, null, message) : undefined
  }
  const descriptor = services.plugins.find(name, kind)
  if (descriptor === undefined) {
    return problem(key, null, classNotFound(key, name))
  }
  try {
    await services.plugins.configDef(descriptor)
    return undefined
  } catch (error) {
    return problem(key, name, toMessage(error))
  }
}

const aliases = (text: string | undefined): readonly string[] =>
  text === undefined || text.trim() === '' ? [] : text.trim().split(/\s*,\s*/)
