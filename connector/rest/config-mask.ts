import type { Props } from '../api/task-context.ts'
import type { ConnectorInfo, Herder, RequestedConfig } from '../runtime/herder.ts'

const HIDDEN = '[hidden]'
/** Client settings and keys of plugins whose definitions nobody has at hand. */
const SECRET = /password|secret|jaas|private\.key|token|credential|user\.info/i

/**
 * Hides the passwords of connector configurations in answers, when `rest.mask.passwords` says so. References to config
 * providers are no secrets and stay. Who sends a hidden value back means the stored one.
 */
export class ConfigMask {
  readonly #herder: Herder
  readonly #isOn: boolean

  constructor(herder: Herder, isOn: boolean) {
    this.#herder = herder
    this.#isOn = isOn
  }

  async hideIn(info: ConnectorInfo): Promise<ConnectorInfo> {
    return this.#isOn ? { ...info, config: await this.hide(info.config) } : info
  }

  /** `connector`: the configuration that names the connector's class, when `config` is a task's. */
  async hide(config: Props, connector: Props = config): Promise<Props> {
    if (!this.#isOn) return config
    const passwords = await this.#passwords(connector['connector.class'])
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => {
        const isSecret = passwords.has(key) || SECRET.test(key)
        return [key, isSecret && !value.includes('${') ? HIDDEN : value]
      }),
    )
  }

  /** A requested configuration with the stored values in the place of hidden ones. */
  async restore(name: string, config: RequestedConfig): Promise<RequestedConfig> {
    if (!this.#isOn || !Object.values(config).includes(HIDDEN)) return config
    if (!this.#herder.connectors().includes(name)) return config
    const stored = await this.#herder.connectorConfig(name)
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        value === HIDDEN ? (stored[key] ?? value) : value,
      ]),
    )
  }

  async #passwords(className: string | undefined): Promise<ReadonlySet<string>> {
    if (className === undefined) return new Set()
    const keys = await this.#herder.pluginConfig(className)
    return new Set(keys.filter(({ type }) => type === 'PASSWORD').map(({ name }) => name))
  }
}
