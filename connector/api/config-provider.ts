import type { Awaitable, Props } from './task-context.ts'

export interface ConfigData {
  readonly data: Readonly<Record<string, string>>
  /** After this long the values are to be asked for again. */
  readonly ttlMs?: number
}

/** Resolves `${name:path:key}` in configurations. */
export interface ConfigProvider {
  configure(config: Props): void
  /** Only keys that exist are in the answer. `path` is '' in `${name:key}`. */
  get(path: string, keys: readonly string[]): Awaitable<ConfigData>
  close?(): void
}
