// The keys of plugins inside a connector's configuration: `transforms.X.*`, `predicates.X.*`, `key.converter.*` and its siblings.
import {
  boolean,
  ConfigDef,
  type ConfigKeyInfo,
  type ConfigKeys,
  type ConfigValue,
  string,
} from '../api/config-def.ts'
import { toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { CONVERTERS, pluginClassKey, pluginVersionKey } from './framework-config.ts'
import type { ConfigInfo, RequestedConfig } from './herder.ts'
import { isVersionWanted, versionNotFound } from './plugin-versions.ts'
import type { Plugins } from './plugins.ts'

/** What is found of embedded plugins: more keys, and problems of keys that are listed already. */
export interface EmbeddedPlugins {
  readonly infos: readonly ConfigInfo[]
  readonly problems: readonly (readonly [key: string, error: string])[]
}

const KINDS = {
  transforms: { kind: 'transformation', group: 'Transforms', title: 'Transformation' },
  predicates: { kind: 'predicate', group: 'Predicates', title: 'Predicate' },
} as const

/** The definitions and values of a connector's transformations and predicates, in the order of their aliases. */
export async function embeddedPlugins(
  property: keyof typeof KINDS,
  props: RequestedConfig,
  plugins: Plugins,
): Promise<EmbeddedPlugins> {
  const parts: EmbeddedPlugins[] = []
  for (const alias of new Set(aliases(props[property]))) {
    parts.push(await embeddedPlugin({ property, alias, props, plugins }))
  }
  return {
    infos: parts.flatMap(({ infos }) => infos),
    problems: parts.flatMap(({ problems }) => problems),
  }
}

interface Embedded {
  readonly property: keyof typeof KINDS
  readonly alias: string
  readonly props: RequestedConfig
  readonly plugins: Plugins
}

async function embeddedPlugin(embedded: Embedded): Promise<EmbeddedPlugins> {
  const { alias, plugins, property, props } = embedded
  const { kind } = KINDS[property]
  const prefix = `${property}.${alias}.`
  const named = props[`${prefix}type`]?.trim()
  const descriptor = named === undefined ? undefined : plugins.find(named, kind)
  const wanted = props[`${prefix}plugin.version`] ?? undefined
  const isWanted = descriptor !== undefined && isVersionWanted(descriptor.version, wanted)
  const problems: [string, string][] = []
  let own: ConfigKeys = {}
  if (descriptor !== undefined && !isWanted) {
    const text = versionNotFound(descriptor.className, descriptor.version, wanted?.trim() ?? '')
    problems.push([`${prefix}type`, text], [`${prefix}plugin.version`, text])
  } else if (descriptor !== undefined) {
    try {
      own = ownKeys(property, (await plugins.configDef(descriptor))?.keys ?? {})
    } catch (error) {
      problems.push([`${prefix}type`, toMessage(error)])
    }
  }
  const def = new ConfigDef({
    ...headKeys(embedded, descriptor?.version),
    ...prefixed(own, prefix, `${KINDS[property].group}: ${alias}`),
  })
  return { infos: infosOf(def, props), problems }
}

/** The class and version that every embedded plugin has. */
function headKeys({ alias, plugins, property }: Embedded, version: string | undefined): ConfigKeys {
  const { group, kind, title } = KINDS[property]
  const prefix = `${property}.${alias}.`
  const shared = { importance: 'HIGH', group: `${group}: ${alias}`, width: 'LONG' } as const
  const versionOf = (className: unknown): string | undefined =>
    typeof className === 'string' ? plugins.find(className, kind)?.version : undefined
  return {
    [`${prefix}type`]: pluginClassKey(kind, plugins, {
      ...shared,
      doc: `Class for the '${alias}' ${title.toLowerCase()}.`,
      order: 0,
      displayName: `${title} type for ${alias}`,
    }),
    [`${prefix}plugin.version`]: pluginVersionKey(`${prefix}type`, versionOf, {
      ...shared,
      doc: `Version of the '${alias}' ${title.toLowerCase()}.`,
      order: 1,
      displayName: `${title} version for ${alias}`,
      default: version,
      isHidden: false,
    }),
  }
}

/** A plugin's own keys, sorted as Kafka's ConfigDef sorts them, with those that every transformation has. */
function ownKeys(property: keyof typeof KINDS, keys: ConfigKeys): ConfigKeys {
  const all: ConfigKeys =
    property === 'predicates'
      ? keys
      : {
          ...keys,
          predicate: string<string | undefined>({
            doc: 'Alias of the predicate that decides whether the transformation is applied to a record.',
            importance: 'MEDIUM',
            default: undefined,
          }),
          negate: boolean({
            doc: 'Whether the transformation is applied where the predicate does not hold.',
            importance: 'MEDIUM',
            default: false,
          }),
        }
  return Object.fromEntries(
    Object.entries(all).sort(([a, left], [b, right]) => {
      const byGroup = Math.sign((left.order ?? -1) - (right.order ?? -1))
      const byRequired = Number(right.required) - Number(left.required)
      const byImportance =
        IMPORTANCE.indexOf(left.importance) - IMPORTANCE.indexOf(right.importance)
      return byGroup || byRequired || byImportance || (a < b ? -1 : 1)
    }),
  )
}

const IMPORTANCE = ['HIGH', 'MEDIUM', 'LOW']

const prefixed = (keys: ConfigKeys, prefix: string, group: string): ConfigKeys =>
  Object.fromEntries(
    Object.entries(keys).map(([name, key], index) => [
      prefix + name,
      { ...key, group, order: index + 2, displayName: key.displayName ?? name, checkedAs: name },
    ]),
  )

/** A definition's keys with the values that a configuration gives them. */
export function infosOf(def: ConfigDef, props: RequestedConfig): ConfigInfo[] {
  const definitions = def.infos()
  return def
    .validate(props)
    .map((value, index) => ({ definition: definitions[index] ?? null, value }))
}

/** Transformations that name a predicate which is not there, or negate none. */
export function predicateProblems(props: Props): readonly (readonly [string, string])[] {
  const known = new Set(aliases(props['predicates']))
  return aliases(props['transforms']).flatMap((alias): [string, string][] => {
    const prefix = `transforms.${alias}.`
    const predicate = props[`${prefix}predicate`]?.trim()
    if (predicate === undefined) {
      if (props[`${prefix}negate`] === undefined) return []
      return [
        [
          `${prefix}type`,
          `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`,
        ],
      ]
    }
    if (known.has(predicate)) return []
    return [
      [
        `${prefix}predicate`,
        `Invalid value ${predicate} for configuration ${prefix}predicate: There is no predicate of that alias; predicates names ${[...known].join(', ') || 'none'}.`,
      ],
    ]
  })
}

/** The definitions and values of the converters that a connector names. */
export async function embeddedConverters(
  props: RequestedConfig,
  plugins: Plugins,
): Promise<EmbeddedPlugins> {
  const infos: ConfigInfo[] = []
  const problems: [string, string][] = []
  for (const [property, { kind }] of Object.entries(CONVERTERS)) {
    const named = props[property]?.trim()
    const descriptor = named === undefined ? undefined : plugins.find(named, kind)
    if (descriptor === undefined) continue // None of its own, or one that is not there, which its key says.
    const wanted = props[`${property}.plugin.version`] ?? undefined
    if (!isVersionWanted(descriptor.version, wanted)) {
      const text = versionNotFound(descriptor.className, descriptor.version, wanted?.trim() ?? '')
      problems.push([property, text], [`${property}.plugin.version`, text])
      continue
    }
    try {
      const def = await plugins.configDef(descriptor)
      if (def !== undefined) infos.push(...converterInfos(def, property, props))
    } catch (error) {
      problems.push([property, `Failed to load ConfigDef from ${property}: ${toMessage(error)}`])
    }
  }
  return { infos, problems }
}

function converterInfos(def: ConfigDef, property: string, props: RequestedConfig): ConfigInfo[] {
  const prefix = `${property}.`
  const type = property.slice(0, property.indexOf('.'))
  const given = Object.fromEntries(
    Object.entries(props).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  )
  const renamed = <T extends ConfigKeyInfo | ConfigValue>(info: T): T => ({
    ...info,
    name: prefix + info.name,
  })
  return infosOf(def, { 'converter.type': type, ...given }).map(({ definition, value }) => ({
    definition: definition === null ? null : renamed(definition),
    value: renamed(value),
  }))
}

const aliases = (text: string | null | undefined): readonly string[] =>
  text === null || text === undefined || text.trim() === '' ? [] : text.trim().split(/\s*,\s*/)
