import type { ConfigKeyInfo } from '../api/config-def.ts'
import type { SinkConnector, SourceConnector } from '../api/connector.ts'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { clientOverrides } from './client-override-validation.ts'
import { checkSinkTopics } from './connector-config.ts'
import { frameworkConfig } from './framework-config.ts'
import {
  BadRequestError,
  type ConfigInfo,
  type ConfigInfos,
  type RequestedConfig,
} from './herder.ts'
import { withLimit } from './limits.ts'
import {
  embeddedConverters,
  embeddedPlugins,
  infosOf,
  predicateProblems,
} from './plugin-validation.ts'
import { isVersionWanted, versionNotFound } from './plugin-versions.ts'
import type { PluginDescriptor } from './plugins.ts'
import { topicCreationProblems } from './topic-creation-validation.ts'
import type { WorkerServices } from './worker-services.ts'

const COMMON_GROUPS = ['Common', 'Transforms', 'Predicates', 'Error Handling']
const SOURCE_GROUPS = ['Topic Creation', 'Exactly Once Support', 'offsets.topic']

type Connector = SourceConnector | SinkConnector
type Problem = readonly [key: string, error: string]

/** Everything that is known to be wrong with a connector configuration, by key. No side effects beyond the connector's own `validate`. */
export async function validateConfig(
  requested: RequestedConfig,
  services: WorkerServices,
): Promise<ConfigInfos> {
  const given = withoutNulls(requested)
  const props = await resolved(given, services)
  const className = props['connector.class']
  if (className === undefined) {
    throw new BadRequestError(`Connector config ${javaMap(given)} contains no connector type`)
  }
  const { connector, descriptor } = await findConnector(services, className)
  const nulls = Object.keys(requested).filter((key) => requested[key] === null)
  const withNulls: RequestedConfig = {
    ...props,
    ...Object.fromEntries(nulls.map((key) => [key, null])),
  }
  const parts: Parts = { connector, descriptor, nulls, props, requested: withNulls, services }
  const version = props['connector.plugin.version']
  if (!isVersionWanted(descriptor.version, version)) {
    return otherVersion(parts, version?.trim() ?? '')
  }
  const { configs, problems } = await knownKeys(parts)
  const all = attach(configs, [
    ...unresolved(given, props),
    ...problems,
    ...nulls.map((key): Problem => [key, NULL_VALUE]),
  ]).map((info) => withoutProvided(info, given, props))
  return {
    name: className,
    errorCount: all.reduce((count, { value }) => count + value.errors.length, 0),
    groups: groupsOf(descriptor, all),
    configs: all,
  }
}

interface Parts {
  readonly connector: Connector
  readonly descriptor: PluginDescriptor
  readonly nulls: readonly string[]
  /** Config providers resolved, nulls left out. */
  readonly props: Props
  /** The same with its nulls. */
  readonly requested: RequestedConfig
  readonly services: WorkerServices
}

const NULL_VALUE = 'Null value can not be supplied as the configuration value.'

/** Every key that has a definition with its value, and what else is wrong with them. */
async function knownKeys(
  parts: Parts,
): Promise<{ readonly configs: readonly ConfigInfo[]; readonly problems: readonly Problem[] }> {
  const { descriptor, props, requested, services } = parts
  const kind = descriptor.kind === 'sink' ? 'sink' : 'source'
  const transforms = await embeddedPlugins('transforms', requested, services.plugins)
  const predicates = await embeddedPlugins('predicates', requested, services.plugins)
  const converters = await embeddedConverters(requested, services.plugins)
  const framework = [...frameworkInfos(kind, parts), ...transforms.infos, ...predicates.infos]
  return {
    configs: [
      ...merge(framework, await ownInfos(parts)),
      ...clientOverrides(kind, props, services),
      ...converters.infos,
    ],
    problems: [
      ...(kind === 'sink' ? checkSinkTopics(props) : topicCreationProblems(props)),
      ...transforms.problems,
      ...predicates.problems,
      ...predicateProblems(props),
      ...converters.problems,
    ],
  }
}

/** The answer when another version of the connector is asked for: only what all connectors have. */
function otherVersion(parts: Parts, wanted: string): ConfigInfos {
  const { className, version } = parts.descriptor
  const text = versionNotFound(className, version, wanted)
  const configs = attach(infosOf(frameworkConfig(undefined, version), parts.requested), [
    ['connector.class', text],
    ['connector.plugin.version', text],
  ])
  return { name: className, errorCount: 2, groups: COMMON_GROUPS, configs }
}

function groupsOf({ kind }: PluginDescriptor, configs: readonly ConfigInfo[]): readonly string[] {
  const groups = new Set([...COMMON_GROUPS, ...(kind === 'sink' ? [] : SOURCE_GROUPS)])
  for (const { definition } of configs) if (definition?.group) groups.add(definition.group)
  return [...groups]
}

/** @throws BadRequestError when a config provider fails. */
async function resolved(given: Props, { transformer }: WorkerServices): Promise<Props> {
  try {
    return await transformer.resolve(given)
  } catch (error) {
    if (error instanceof ConfigError) throw new BadRequestError(error.message, { cause: error })
    throw error
  }
}

/** What a config provider gave may be a secret: the answer shows the reference instead. */
function withoutProvided(info: ConfigInfo, given: Props, props: Props): ConfigInfo {
  const { value } = info
  const reference = given[value.name]
  const provided = props[value.name]
  if (reference === undefined || provided === undefined || reference === provided) return info
  const errors = value.errors.map((error) =>
    provided === '' ? error : error.replaceAll(provided, () => reference),
  )
  const isShown = value.value !== null && value.value !== '[hidden]'
  return { ...info, value: { ...value, errors, value: isShown ? reference : value.value } }
}

/** References to config providers that nothing took the place of: Kafka Connect would run with the text as it is. */
function unresolved(given: Props, props: Props): Problem[] {
  return Object.entries(given).flatMap(([key, text]): Problem[] => {
    const [reference] = /\$\{[^}:]*:[^}]*\}/.exec(text) ?? []
    if (reference === undefined || props[key]?.includes(reference) !== true) return []
    return [
      [
        key,
        `Invalid value ${reference} for configuration ${key}: There is no config provider of that name, or it does not know this value.`,
      ],
    ]
  })
}

/** Keys of plugins inside a connector's configuration, which have definitions of their own. */
const FOREIGN =
  /^((key|value|header)\.converter|transforms|predicates|(producer|consumer|admin)\.override|topic\.creation|errors|config\.action|task\.restart)\./

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
  const framework = frameworkConfig(descriptor.kind, descriptor.version).infos()
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

function frameworkInfos(kind: 'source' | 'sink', parts: Parts): ConfigInfo[] {
  const { descriptor, props, requested, services } = parts
  const facts = { props, plugins: services.plugins, workerProps: services.props }
  return infosOf(frameworkConfig(kind, descriptor.version, facts), requested)
}

/** What the connector itself says. A null that the request gave is told apart from a value that is missing. */
async function ownInfos({
  connector,
  descriptor,
  nulls,
  props,
  services,
}: Parts): Promise<ConfigInfo[]> {
  const { clock, config } = services
  const name = `validate of ${descriptor.className}`
  const values = await withLimit(
    name,
    services.watch.run(name, () => connector.validate(props)),
    { clock, limitMs: config['plugin.call.timeout.ms'] },
  )
  const definitions = new Map(
    connector
      .config()
      .infos()
      .map((info) => [info.name, info]),
  )
  return values.flatMap((value) => {
    const definition = definitions.get(value.name) ?? null
    if (definition === null && value.errors.length === 0) return []
    const isNull = nulls.includes(value.name)
    return [{ definition, value: isNull ? { ...value, value: null, errors: [] } : value }]
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

/** Adds problems to the keys that they are about; keys without a definition come first. */
function attach(configs: readonly ConfigInfo[], problems: readonly Problem[]): ConfigInfo[] {
  const all = [...configs]
  const unknown = new Map<string, ConfigInfo>()
  for (const [name, error] of problems) {
    const index = all.findIndex((info) => info.value.name === name)
    const known = all[index]
    if (known === undefined) unknown.set(name, withError(unknown.get(name) ?? nobodys(name), error))
    else all[index] = withError(known, error)
  }
  return [...unknown.values(), ...all]
}

const withError = ({ definition, value }: ConfigInfo, error: string): ConfigInfo => ({
  definition,
  value: { ...value, errors: [...value.errors, error] },
})

const nobodys = (name: string): ConfigInfo => ({
  definition: null,
  value: { name, value: null, recommendedValues: [], errors: [], visible: true },
})
