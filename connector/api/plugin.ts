import type { Clock, Random } from './clock.ts'
import type { ConfigProvider } from './config-provider.ts'
import type { SinkConnector, SourceConnector } from './connector.ts'
import type { Converter, HeaderConverter } from './converter.ts'
import type { PluginLogger } from './plugin-metrics.ts'
import type { RestExtension } from './rest-extension.ts'
import type { Awaitable } from './task-context.ts'
import type { Predicate, Transformation } from './transformation.ts'

/** What a plugin's constructor may be given: the outside world, so that a test can give it another one. */
export interface PluginEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  /** The process's environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Told why a plugin of a task waits and tries something again, and with null when that is over. */
  readonly onRetrying?: (message: string | null) => void
}

/** What each kind of plugin is an instance of. */
export interface PluginKinds {
  source: SourceConnector
  sink: SinkConnector
  transformation: Transformation
  predicate: Predicate
  converter: Converter
  header_converter: HeaderConverter
  config_provider: ConfigProvider
  rest_extension: RestExtension
}
export type PluginKind = keyof PluginKinds

export const PLUGIN_KINDS: readonly PluginKind[] = [
  'source',
  'sink',
  'transformation',
  'predicate',
  'converter',
  'header_converter',
  'config_provider',
  'rest_extension',
]

/**
 * A class that configurations can name. A plugin module exports an array of these as `plugins`:
 *
 * ```ts
 * export const plugins: readonly PluginDefinition[] = [
 *   { kind: 'sink', className: 'com.example.PrinterSinkConnector', create: () => new PrinterSinkConnector() },
 * ]
 * ```
 */
export type PluginDefinition = {
  readonly [K in PluginKind]: {
    readonly kind: K
    /** What `connector.class`, `value.converter`, `transforms.x.type` … name it by. Its last part without the kind's suffix works too. */
    readonly className: string
    /** Further names. */
    readonly aliases?: readonly string[]
    /** Shown by `GET /connector-plugins`. Default: the version in the package's package.json. */
    readonly version?: string
    /** Makes an instance: one per connector or task that uses it, and one to ask for its `config()`. */
    readonly create: (environment: PluginEnvironment) => Awaitable<PluginKinds[K]>
  }
}[PluginKind]
