import { ConfigDef, type ConfigKeys, classNameKey, string } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { COMMON_KEYS, PROCESSING_KEYS, SINK_KEYS, SOURCE_KEYS } from './connector-config.ts'
import type { PluginKind, Plugins } from './plugins.ts'

const SIMPLE_HEADER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'

/** What validate knows beyond the definitions: which classes there are, and what the worker uses by default. */
export interface KeyFacts {
  /** The connector's own configuration: the version of the converter that it names is that key's default. */
  readonly props: Props
  readonly plugins: Plugins
  readonly workerProps: Props
}

/** The keys that name a converter. */
export type ConverterProperty = 'key.converter' | 'value.converter' | 'header.converter'

interface ConverterKey {
  readonly title: string
  readonly order: number
  readonly kind: 'converter' | 'header_converter'
}

/** What the converters' keys are called, and which kind of plugin they name. */
export const CONVERTERS: Readonly<Record<ConverterProperty, ConverterKey>> = {
  'key.converter': { title: 'Key converter', order: 6, kind: 'converter' },
  'value.converter': { title: 'Value converter', order: 8, kind: 'converter' },
  'header.converter': { title: 'Header converter', order: 10, kind: 'header_converter' },
}

const INTERFACES: Readonly<Partial<Record<PluginKind, string>>> = {
  converter: 'Converter',
  header_converter: 'HeaderConverter',
}

/** A key that names a plugin's class or alias. Reading it gives the class; one that is not there is refused by Kafka's words. */
export function pluginClassKey(
  kind: PluginKind,
  plugins: Plugins,
  options: Parameters<typeof classNameKey<string | undefined>>[0],
): ConfigKeys[string] {
  return {
    ...classNameKey<string | undefined>({
      ...options,
      recommender: { validValues: () => plugins.classNames(kind), visible: () => true },
      check: (className) => {
        if (className === undefined || plugins.find(className, kind) !== undefined) return undefined
        const kinds = plugins.classNames(kind).filter((name) => name.startsWith(`${className}$`))
        throw new ConfigError(
          kinds.length > 0
            ? `This class is abstract and cannot be created. Did you mean ${kinds.join(', ')}?`
            : `Class class ${className} does not implement the ${INTERFACES[kind] ?? kind} interface`,
        )
      },
    }),
    parse: (text) => {
      const found = plugins.find(text, kind)?.className ?? plugins.anyClass(text)
      if (found === undefined) throw new ConfigError(`Class ${text} could not be found.`)
      return found
    },
  }
}

/** The version of the plugin that another key names (KIP-891). */
export function pluginVersionKey(
  classKey: string,
  versionOf: (className: unknown) => string | undefined,
  options: Parameters<typeof string<string | undefined>>[0] & { readonly isHidden: boolean },
): ConfigKeys[string] {
  const { isHidden, ...rest } = options
  return string<string | undefined>({
    ...rest,
    recommender: {
      validValues: (_name, parsed) => {
        const version = versionOf(parsed[classKey])
        return version === undefined ? [] : [version]
      },
      visible: (_name, parsed) => !isHidden || typeof parsed[classKey] === 'string',
    },
  })
}

function converterKeys(property: ConverterProperty, facts: KeyFacts | undefined): ConfigKeys {
  const { kind, order, title } = CONVERTERS[property]
  const shared = { importance: 'LOW', group: 'Common', width: 'SHORT' } as const
  const doc = `Class of the ${title.toLowerCase()}; default: the worker’s.`
  const names = { doc, displayName: `${title} class`, order }
  const versionKey = `${property}.plugin.version`
  const versionNames = {
    doc: `Version of the ${title.toLowerCase()}.`,
    displayName: `${title} version`,
    order: order + 1,
  }
  if (facts === undefined) {
    return {
      [property]: classNameKey<string | undefined>({ ...shared, ...names, default: undefined }),
      [versionKey]: string<string | undefined>({
        ...shared,
        ...versionNames,
        default: undefined,
        recommender: { validValues: () => [], visible: () => false },
      }),
    }
  }
  const { plugins, props, workerProps } = facts
  const versionOf = (className: unknown): string | undefined =>
    typeof className === 'string' ? plugins.find(className, kind)?.version : undefined
  const name =
    workerProps[property]?.trim() ?? (property === 'header.converter' ? SIMPLE_HEADER : undefined)
  const byDefault = name === undefined ? undefined : (plugins.find(name, kind)?.className ?? name)
  return {
    [property]: pluginClassKey(kind, plugins, { ...shared, ...names, default: byDefault }),
    [versionKey]: pluginVersionKey(property, versionOf, {
      ...shared,
      ...versionNames,
      default: versionOf(props[property]?.trim() ?? byDefault),
      isHidden: true,
    }),
  }
}

/** The framework's keys of a kind of connector, in Kafka Connect's order; without a kind, those that all connectors have. */
export function frameworkConfig(
  kind: 'source' | 'sink' | undefined,
  version: string,
  facts?: KeyFacts,
): ConfigDef {
  return new ConfigDef({
    ...COMMON_KEYS,
    'connector.plugin.version': {
      ...COMMON_KEYS['connector.plugin.version'],
      default: version,
      recommender: { validValues: () => [version], visible: () => true },
    },
    'tasks.max': COMMON_KEYS['tasks.max'],
    'tasks.max.enforce': COMMON_KEYS['tasks.max.enforce'],
    ...converterKeys('key.converter', facts),
    ...converterKeys('value.converter', facts),
    ...converterKeys('header.converter', facts),
    ...PROCESSING_KEYS,
    ...(kind === 'source' && SOURCE_KEYS),
    ...(kind === 'sink' && SINK_KEYS),
  })
}
