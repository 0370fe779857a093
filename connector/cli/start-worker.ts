import path from 'node:path'
import type { Clock, Random } from '../api/clock.ts'
import type { ConfigProvider } from '../api/config-provider.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { toLibrdkafka } from '../kafka/client-config.ts'
import type { KafkaClients } from '../kafka/client.ts'
import { BASIC_AUTH_EXTENSION } from '../rest/basic-auth.ts'
import { RestApi } from '../rest/rest-api.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import { ConfigTransformer } from '../runtime/config-transformer.ts'
import type { Herder, RequestedConfig, TargetState } from '../runtime/herder.ts'
import { EventLoopWatch, type OutsideWatch } from '../runtime/event-loop-watch.ts'
import { createLogger, type Logger, type LogLevel, LogLevels } from '../runtime/logging.ts'
import { WorkerMetrics } from '../runtime/metrics.ts'
import { type PluginDescriptor, Plugins } from '../runtime/plugins.ts'
import { StandaloneHerder } from '../runtime/standalone-herder.ts'
import { findPlugins } from '../runtime/plugin-path.ts'
import { sharedAdmin } from '../runtime/shared-admin.ts'
import { TaskRestarts } from '../runtime/task-restarts.ts'
import { withoutPrefix } from '../runtime/transformation-chain.ts'
import { unknownWorkerKeys, type WorkerConfig } from '../runtime/worker-config.ts'
import type { TranslateClientConfig, WorkerServices } from '../runtime/worker-services.ts'
import { MemoryConfigBackingStore } from '../storage/config-backing-store.ts'
import { FileOffsetBackingStore } from '../storage/file-offset-backing-store.ts'
import type { OffsetBackingStore } from '../storage/offset-backing-store.ts'
import { OffsetStorage } from '../storage/offset-storage.ts'
import { MemoryStatusBackingStore } from '../storage/status-backing-store.ts'
import { pluginLoader } from './plugin-modules.ts'
import { VERSION } from './plugins.ts'
import { readWorkerConfig } from './worker-settings.ts'

/** The Kafka Connect whose REST API this is; tools read its first two numbers. */
export const KAFKA_CONNECT_VERSION = '4.3.1'

/** A connector to begin with. */
export interface InitialConnector {
  readonly name: string
  readonly config: RequestedConfig
  readonly targetState?: TargetState
}

export interface StartWorkerOptions {
  /** Of `connect.properties`. */
  readonly properties: Props
  readonly connectors: readonly InitialConnector[]
  readonly plugins: readonly PluginDescriptor[]
  readonly clients: KafkaClients
  readonly clock: Clock
  readonly random: Random
  /** What `${env:…}` sees. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Watches the event loop from another thread; default: nobody does. */
  readonly outsideWatch?: (limitMs: number) => OutsideWatch
  /** Default: a logger of the configured level to standard output. */
  readonly log?: Logger
  /** Default: the file of `offset.storage.file.filename`. */
  readonly offsetStore?: OffsetBackingStore
  /** Default: Java's properties to librdkafka's. */
  readonly translate?: TranslateClientConfig
}

export interface RunningWorker {
  /** Base of the REST API, without a trailing slash. */
  readonly url: string
  /** Base of the admin resources, when `admin.listeners` names a listener of their own. */
  readonly adminUrl?: string | undefined
  readonly workerId: string
  readonly herder: Herder
  readonly services: WorkerServices
  /** Stops connectors and tasks gracefully, then everything else. Never rejects. */
  stop(): Promise<void>
}

/** What connectors may read from the environment when no config provider is configured. */
const DEFAULT_PROVIDERS: Props = {
  'config.providers': 'env',
  'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
  'config.providers.env.param.allowlist.pattern':
    '(MTA|SNOWFLAKE|SCHEMA_REGISTRY|KAFKA|CONNECT)_.*',
}

/**
 * Starts a standalone worker in this process; its connectors may still be starting when it resolves. A Kafka cluster that is
 * down is no reason to fail.
 *
 * @throws ConfigError that names every problem of the worker's properties, or of a connector's.
 */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const { clock, random, environment } = options
  const given = withProviders(options.properties)
  const earlyLog = options.log ?? createLogger('WARN')
  const outside = await pathPlugins(options, earlyLog)
  const plugins = new Plugins([...options.plugins, ...outside], {
    clock,
    random,
    environment,
    log: earlyLog,
  })
  const transformer = new ConfigTransformer(await configProviders(given, plugins))
  const props = await transformer.resolve(given)
  const translate = options.translate ?? toLibrdkafka
  const { adminListeners, config, listeners } = await readWorkerConfig(props, translate, plugins)
  const address = { url: '', workerId: '' }
  const services = makeServices(options, {
    address,
    config,
    plugins,
    props,
    transformer,
    translate,
  })
  const { log } = services
  const herder = new StandaloneHerder(services, {
    configs: new MemoryConfigBackingStore(),
    statuses: new MemoryStatusBackingStore(),
  })
  const rest = new RestApi({
    services,
    herder,
    listeners,
    adminListeners,
    version: KAFKA_CONNECT_VERSION,
    commit: `mta-connect-${VERSION}`,
    unresolvedProps: given,
    advertisedUrl: () => address.url,
  })
  const restarts = new TaskRestarts({ herder, props, clock, random, log })
  const stop = async (): Promise<void> => {
    await rest.close()
    await restarts.stop()
    await herder.stop()
    await services.watch.stop()
    transformer.close()
  }
  warnOfUnknown(given, log)
  services.watch.start()
  try {
    await rest.listen()
    Object.assign(address, advertised(rest, config))
    for (const name of extensionClasses(config['rest.extension.classes'])) {
      await rest.extend(
        await plugins.create('rest_extension', name, 'rest.extension.classes'),
        name,
      )
    }
    await herder.start()
    await startConnectors(herder, options.connectors)
  } catch (error) {
    await stop()
    throw error
  }
  log.info({ url: address.url, workerId: address.workerId }, 'Kafka Connect started.')
  return { ...address, adminUrl: adminUrl(rest), herder, services, stop: once(stop) }
}

function adminUrl({ adminAddress }: RestApi): string | undefined {
  if (adminAddress === undefined) return undefined
  const { host, port, protocol } = adminAddress
  return `${protocol}://${host}:${port}`
}

/** Without Kafka Connect's basic authentication, which is part of the REST API here. */
const extensionClasses = (names: readonly string[]): readonly string[] =>
  names.filter((name) => name !== BASIC_AUTH_EXTENSION)

/** The plugins of `plugin.path`, which is read before config providers are there: it can name some. */
async function pathPlugins(
  { properties, plugins, clock }: StartWorkerOptions,
  log: Logger,
): Promise<readonly PluginDescriptor[]> {
  const entries = (properties['plugin.path'] ?? '').split(',').map((entry) => entry.trim())
  return findPlugins({
    entries: entries.filter((entry) => entry !== ''),
    folder: process.cwd(),
    builtIn: plugins,
    clock,
    log,
    load: pluginLoader(),
  })
}

function advertised(
  rest: RestApi,
  config: WorkerConfig,
): { readonly url: string; readonly workerId: string } {
  const { protocol, host, port } = rest.address
  const name = config['rest.advertised.host.name'] ?? host
  const workerId = `${name}:${config['rest.advertised.port'] || port}`
  return { url: `${protocol}://${workerId}`, workerId }
}

interface Parts {
  readonly address: { readonly workerId: string }
  readonly config: WorkerConfig
  readonly plugins: Plugins
  readonly props: Props
  readonly transformer: ConfigTransformer
  readonly translate: TranslateClientConfig
}

function makeServices(options: StartWorkerOptions, parts: Parts): WorkerServices {
  const { address, config, plugins, props, transformer, translate } = parts
  const { clients, clock, random } = options
  const level = config['log.level'] as LogLevel
  const log = options.log ?? createLogger(level)
  const metrics = new WorkerMetrics()
  return {
    // Known once the listeners are bound, which is before anything asks for it.
    get workerId() {
      return address.workerId
    },
    config,
    props,
    clock,
    random,
    log,
    logLevels: new LogLevels(log, level),
    plugins,
    clients,
    translate,
    transformer,
    offsets: new OffsetStorage(
      options.offsetStore ??
        new FileOffsetBackingStore(path.resolve(config['offset.storage.file.filename'])),
    ),
    metrics,
    consumerBudget: new ByteBudget(config['consumer.buffer.bytes']),
    watch: new EventLoopWatch({
      clock,
      log,
      limitMs: config['event.loop.block.limit.ms'],
      outside: options.outsideWatch?.(config['event.loop.block.limit.ms']),
    }),
    admin: sharedAdmin({ props, translate, clients, log, metrics }),
  }
}

const withProviders = (properties: Props): Props =>
  properties['config.providers'] === undefined
    ? { ...DEFAULT_PROVIDERS, ...properties }
    : properties

async function startConnectors(
  herder: Herder,
  connectors: readonly InitialConnector[],
): Promise<void> {
  const problems: string[] = []
  await Promise.all(
    connectors.map(async ({ name, config, targetState }) => {
      try {
        const options = { allowReplace: false, ...(targetState !== undefined && { targetState }) }
        await herder.putConnectorConfig(name, { ...config, name }, options)
      } catch (error) {
        problems.push(`Connector ${name}: ${toMessage(error)}`)
      }
    }),
  )
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
}

async function configProviders(
  props: Props,
  plugins: Plugins,
): Promise<ReadonlyMap<string, ConfigProvider>> {
  const providers = new Map<string, ConfigProvider>()
  const names = (props['config.providers'] ?? '').split(',').map((name) => name.trim())
  for (const name of names.filter((alias) => alias !== '')) {
    const prefix = `config.providers.${name}.`
    const className = props[`${prefix}class`]
    if (className === undefined) continue // `parseWorkerConfig` says so, with everything else.
    const provider = await plugins.create('config_provider', className.trim(), `${prefix}class`)
    provider.configure(withoutPrefix(props, `${prefix}param.`))
    providers.set(name, provider)
  }
  return providers
}

function warnOfUnknown(props: Props, log: Logger): void {
  const unknown = unknownWorkerKeys(props).filter((key) => !key.startsWith('ui.'))
  if (unknown.length > 0) {
    log.warn({ unknown }, 'Some worker properties are not known and have no effect.')
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
