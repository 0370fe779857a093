import type { ConfigDef } from '../api/config-def.ts'
import type { SinkConnector, SourceConnector } from '../api/connector.ts'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import type { PluginEnvironment, PluginKind, PluginKinds } from '../api/plugin.ts'

export type { PluginEnvironment, PluginKind } from '../api/plugin.ts'

/** A class that can be named in a configuration. */
export type PluginDescriptor = {
  readonly [K in PluginKind]: {
    readonly kind: K
    readonly className: string
    readonly aliases?: readonly string[]
    readonly version: string
    /** Loads the code, which may take a while the first time, and makes an instance. */
    readonly create: (environment: PluginEnvironment) => Promise<PluginKinds[K]>
  }
}[PluginKind]

/** A connector's class as `GET /connector-plugins` shows it. */
export interface PluginInfo {
  readonly class: string
  readonly type: string
  /** Left out when the plugin has none. */
  readonly version?: string
}

/** The version of a plugin that has none, as Kafka Connect calls it. */
export const NO_VERSION = 'undefined'

/** Kafka Connect's order of kinds in lists. */
const LISTED: readonly PluginKind[] = [
  'sink',
  'source',
  'transformation',
  'predicate',
  'converter',
  'header_converter',
]
const SUFFIXES: Readonly<Partial<Record<PluginKind, string>>> = {
  sink: 'Connector',
  source: 'Connector',
  converter: 'Converter',
  header_converter: 'HeaderConverter',
  transformation: 'Transformation',
  predicate: 'Predicate',
}

/** Finds plugins by class name, simple name, simple name without its kind's suffix, or alias. */
export class Plugins {
  readonly #descriptors: readonly PluginDescriptor[]
  readonly #environment: PluginEnvironment

  constructor(descriptors: readonly PluginDescriptor[], environment: PluginEnvironment) {
    this.#descriptors = descriptors
    this.#environment = environment
  }

  /** The plugins as REST lists them. */
  list(connectorsOnly: boolean): readonly PluginInfo[] {
    return LISTED.filter((kind) => !connectorsOnly || kind === 'sink' || kind === 'source').flatMap(
      (kind) =>
        this.#descriptors
          .filter((plugin) => plugin.kind === kind)
          .map((plugin) => ({
            class: plugin.className,
            type: plugin.kind,
            ...(plugin.version !== NO_VERSION && { version: plugin.version }),
          }))
          .sort((a, b) => (a.class < b.class ? -1 : 1)),
    )
  }

  /** The plugin of that name among the kinds, or undefined. */
  find<K extends PluginKind>(
    name: string,
    ...kinds: readonly K[]
  ): Extract<PluginDescriptor, { readonly kind: K }> | undefined {
    const found = this.#descriptors.find(
      (plugin) => (kinds as readonly PluginKind[]).includes(plugin.kind) && isNamed(plugin, name),
    )
    return found as Extract<PluginDescriptor, { readonly kind: K }> | undefined
  }

  /** The full class name of what `name` finds among the kind, as errors name it; else the name itself. */
  className(kind: PluginKind, name: string): string {
    return this.find(name, kind)?.className ?? name
  }

  /** The class names of a kind, sorted. */
  classNames(kind: PluginKind): readonly string[] {
    const names = this.#descriptors
      .filter((plugin) => plugin.kind === kind)
      .map(({ className }) => className)
    return [...new Set(names)].sort()
  }

  /** The class of that exact name, whatever it is for, or the abstract one that its inner classes belong to. */
  anyClass(name: string): string | undefined {
    const isClass = this.#descriptors.some(
      ({ className }) => className === name || className.startsWith(`${name}$`),
    )
    return isClass && name !== '' ? name : undefined
  }

  /** A connector's instance. @throws ConnectError with Kafka Connect's text when there is no such class. */
  async connector(name: string): Promise<{
    readonly descriptor: PluginDescriptor
    readonly connector: SourceConnector | SinkConnector
  }> {
    const descriptor = this.find(name, 'source', 'sink')
    if (descriptor === undefined) {
      throw new ConnectError(
        `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: ${this.#describeConnectors()}`,
      )
    }
    return { descriptor, connector: await this.#create(descriptor) }
  }

  /** An instance of the kind, for the configuration key `at`. @throws ConfigError that names the key when there is no such class. */
  async create<K extends Exclude<PluginKind, 'source' | 'sink'>>(
    kind: K,
    name: string,
    at: string | { readonly key: string; readonly environment: Partial<PluginEnvironment> },
  ): Promise<PluginKinds[K]> {
    const { key, environment } = typeof at === 'string' ? { key: at, environment: {} } : at
    const descriptor = this.find(name, kind)
    if (descriptor === undefined) {
      throw new ConfigError(classNotFound(key, name))
    }
    return (await this.#create(descriptor, environment)) as PluginKinds[K]
  }

  /** What a plugin of any listed kind can be configured with. */
  async configDef(descriptor: PluginDescriptor): Promise<ConfigDef | undefined> {
    const plugin = await this.#create(descriptor)
    return 'config' in plugin ? plugin.config() : undefined
  }

  async #create<D extends PluginDescriptor>(
    descriptor: D,
    own: Partial<PluginEnvironment> = {},
  ): Promise<Awaited<ReturnType<D['create']>>> {
    try {
      return (await descriptor.create({ ...this.#environment, ...own })) as Awaited<
        ReturnType<D['create']>
      >
    } catch (error) {
      throw new ConnectError(`Failed to load class ${descriptor.className}: ${toMessage(error)}`, {
        cause: error,
      })
    }
  }

  #describeConnectors(): string {
    return this.#descriptors
      .filter((plugin) => plugin.kind === 'source' || plugin.kind === 'sink')
      .map(
        ({ className, version, kind }) =>
          `PluginDesc{klass=class ${className}, name='${className}', version='${version}', encodedVersion=${version}, type=${kind}, typeName='${kind}', location='classpath'}`,
      )
      .join(', ')
  }
}

/** Kafka Connect's text for a class that is not there. */
export const classNotFound = (key: string, name: string): string =>
  `Invalid value ${name} for configuration ${key}: Class ${name} could not be found.`

function isNamed(plugin: PluginDescriptor, name: string): boolean {
  if (plugin.className === name || plugin.aliases?.includes(name) === true) return true
  const simple = plugin.className.slice(plugin.className.lastIndexOf('.') + 1)
  // A nested class (`Cast$Value`) has no short name: it would be `Value`, which many are called.
  if (simple.includes('$')) return false
  const suffix = SUFFIXES[plugin.kind]
  return (
    simple === name ||
    (suffix !== undefined && simple.endsWith(suffix) && simple.slice(0, -suffix.length) === name)
  )
}
