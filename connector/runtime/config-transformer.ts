import type { ConfigProvider } from '../api/config-provider.ts'
import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'

// Kafka's own pattern (org.apache.kafka.common.config.ConfigTransformer).
const REFERENCE = /\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}/g

/**
 * Puts values in the place of `${provider:path:key}`. What a provider does not know stays as it is; a
 * provider that fails is a `ConfigError` naming the key, never the value. Resolved values are for running
 * code only: they are not stored and not shown.
 */
export class ConfigTransformer {
  readonly #providers: ReadonlyMap<string, ConfigProvider>

  constructor(providers: ReadonlyMap<string, ConfigProvider>) {
    this.#providers = providers
  }

  /** The configuration with every reference resolved, one level deep. */
  async resolve(props: Props): Promise<Props> {
    return (await this.resolveWithTtl(props)).props
  }

  /** As `resolve`, with how long the values hold: the shortest time that a provider named, or undefined when none did. */
  async resolveWithTtl(
    props: Props,
  ): Promise<{ readonly props: Props; readonly ttlMs: number | undefined }> {
    const resolved: Record<string, string> = {}
    const ttls: number[] = []
    for (const [key, text] of Object.entries(props)) {
      resolved[key] = text.includes('${') ? await this.#resolveText(key, text, ttls) : text
    }
    return { props: resolved, ttlMs: ttls.length === 0 ? undefined : Math.min(...ttls) }
  }

  close(): void {
    for (const provider of this.#providers.values()) provider.close?.()
  }

  async #resolveText(key: string, text: string, ttls: number[]): Promise<string> {
    let result = ''
    let end = 0
    for (const match of text.matchAll(REFERENCE)) {
      const [reference, name = '', , path = '', variable = ''] = match
      const { value, ttlMs } = await this.#ask(key, { name, path, variable })
      if (ttlMs !== undefined) ttls.push(ttlMs)
      result += text.slice(end, match.index) + (value ?? reference)
      end = match.index + reference.length
    }
    return result + text.slice(end)
  }

  async #ask(
    key: string,
    reference: { readonly name: string; readonly path: string; readonly variable: string },
  ): Promise<{ readonly value?: string | undefined; readonly ttlMs?: number | undefined }> {
    const provider = this.#providers.get(reference.name)
    if (provider === undefined) return {}
    try {
      const { data, ttlMs } = await provider.get(reference.path, [reference.variable])
      return { value: data[reference.variable], ttlMs }
    } catch (error) {
      throw new ConfigError(
        `Configuration ${key} refers to config provider ${reference.name}, which failed`,
        { cause: error },
      )
    }
  }
}

/**
 * Puts the references back into a task configuration: a value that equals what the connector's own value of
 * that key was resolved to is replaced by the connector's unresolved text, so that no secret is stored.
 */
export function reverseTransform(task: Props, connector: Props, resolved: Props): Props {
  return Object.fromEntries(
    Object.entries(task).map(([key, value]) => {
      const original = connector[key]
      return [key, original !== undefined && value === resolved[key] ? original : value]
    }),
  )
}
