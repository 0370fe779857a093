import type { Awaitable, Props } from './task-context.ts'

export interface ConfigData {
  readonly data: Readonly<Record<string, string>>
  /**
   * After this long, in milliseconds, the values are to be asked for again: connectors that use them are restarted then, unless
   * they have `config.action.reload=none`. Absent: they hold for ever.
   */
  readonly ttlMs?: number
}

/**
 * Resolves `${name:path:key}` and `${name:key}` in configurations of the worker and of connectors, where `name` is the alias in the
 * worker's `config.providers`. What it gives is never stored, logged or shown. One instance per worker.
 *
 * @throws ConfigError when it cannot answer; the message must not hold a secret.
 */
export interface ConfigProvider {
  /** Called once. The keys below `config.providers.<name>.param.`, without that prefix. */
  configure(config: Props): void
  /** Only keys that exist are in the answer; others stay as they are written. `path` is '' in `${name:key}`. */
  get(path: string, keys: readonly string[]): Awaitable<ConfigData>
  close?(): void
}
