import { ConfigError, RetriableError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import type { Admin } from '../kafka/client.ts'
import { clientEvents, clientProperties } from './client-properties.ts'
import { withoutPrefix } from './transformation-chain.ts'
import type { WorkerServices } from './worker-services.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Clients for connectors with `admin.override.*`; more than so many kinds of overrides take turns. */
const CLIENTS_MAX = 16

/**
 * The worker's admin clients, each connected when it is first needed; a failed attempt is repeated by the next caller.
 * All connectors share one, but those with `admin.override.*`: connectors with equal overrides share one of their own.
 * Ask again for every use, since one that was not used for long may be closed.
 */
export function sharedAdmin(
  parts: Pick<WorkerServices, 'props' | 'translate' | 'clients' | 'log' | 'metrics'>,
): (connector?: Props) => Promise<Admin> {
  /** By their overrides; the one that was asked for last is the last. */
  const clients = new Map<string, Promise<Admin>>()
  let numbers = 0
  const connect = async (key: string, connector: Props): Promise<Admin> => {
    let admin: Admin | undefined
    try {
      const java = {
        'client.id': key === '' ? 'connector-adminclient' : `connector-adminclient-${++numbers}`,
        ...clientProperties('admin', parts.props, connector),
      }
      const { config } = parts.translate('admin', java)
      admin = parts.clients.admin(config, clientEvents(parts, parts.log))
      await admin.connect(AbortSignal.timeout(CONNECT_TIMEOUT_MS))
      return admin
    } catch (error) {
      clients.delete(key)
      await admin?.close()
      // What is wrong with the configuration stays wrong; anything else may pass.
      throw error instanceof ConfigError || error instanceof RetriableError
        ? error
        : new RetriableError(`Kafka does not answer: ${toMessage(error)}`, { cause: error })
    }
  }
  return (connector = {}) => {
    const overrides = Object.entries(withoutPrefix(connector, 'admin.override.')).sort(
      ([a], [b]) => (a < b ? -1 : 1),
    )
    const key = overrides.length === 0 ? '' : JSON.stringify(overrides)
    const client = clients.get(key) ?? connect(key, connector)
    clients.delete(key)
    clients.set(key, client)
    if (clients.size > CLIENTS_MAX + 1) closeOldest(clients)
    return client
  }
}

function closeOldest(clients: Map<string, Promise<Admin>>): void {
  for (const [key, client] of clients) {
    if (key === '') continue // The worker's own.
    clients.delete(key)
    void client.then(
      (admin) => admin.close(),
      () => {}, // It never connected; who asked for it has the error.
    )
    return
  }
}
