import type { Props } from '../api/task-context.ts'
import type { WorkerConnector } from './worker-connector.ts'
import type { WorkerServices } from './worker-services.ts'

/** However short a provider's time to live is, a connector is not restarted more often than this. */
const RELOAD_MS_MIN = 1_000
/** As long as a timer can be. */
const RELOAD_MS_MAX = 2 ** 31 - 1

interface Resolved {
  readonly config: Props
  /** How long the values of config providers hold; undefined: for ever. */
  readonly ttlMs: number | undefined
}

/**
 * Reloads connectors whose config providers' values expire, as `config.action.reload` says: `restart` (the default) or
 * `none`. Tasks are restarted too: their own configurations hold only references, so nobody would notice a new value.
 */
export class ConfigReload {
  readonly #services: Pick<WorkerServices, 'clock' | 'log'>
  readonly #onExpired: (connector: string) => void
  readonly #pending = new WeakMap<WorkerConnector, AbortController>()

  constructor(
    services: Pick<WorkerServices, 'clock' | 'log'>,
    onExpired: (connector: string) => void,
  ) {
    this.#services = services
    this.#onExpired = onExpired
  }

  /** Calls back once the values expire, unless the connector ends or its configuration is resolved again before. */
  schedule(connector: WorkerConnector, name: string, { config, ttlMs }: Resolved): void {
    this.#pending.get(connector)?.abort()
    this.#pending.delete(connector)
    const action = config['config.action.reload']?.trim().toLowerCase() ?? 'restart'
    if (ttlMs === undefined || action !== 'restart') return
    const inMs = Math.min(Math.max(ttlMs, RELOAD_MS_MIN), RELOAD_MS_MAX)
    const replaced = new AbortController()
    this.#pending.set(connector, replaced)
    void this.#expire(name, inMs, AbortSignal.any([connector.endSignal, replaced.signal]))
  }

  async #expire(name: string, inMs: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#services
    log.debug({ connector: name, inMs }, 'The connector is restarted when its values expire.')
    try {
      await clock.sleep(inMs, signal)
    } catch {
      return // Aborted: the connector has ended, or another time holds.
    }
    log.info({ connector: name }, 'Values of a config provider expired; restarting.')
    this.#onExpired(name)
  }
}
