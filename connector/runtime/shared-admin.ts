import { RetriableError, toMessage } from '../api/errors.ts'
import type { Admin } from '../kafka/client.ts'
import { clientEvents, clientProperties } from './client-properties.ts'
import type { WorkerServices } from './worker-services.ts'

const CONNECT_TIMEOUT_MS = 10_000

/** One admin client for the worker, connected when it is first needed; a failed attempt is repeated by the next caller. */
export function sharedAdmin(
  parts: Pick<WorkerServices, 'props' | 'translate' | 'clients' | 'log' | 'metrics'>,
): () => Promise<Admin> {
  let connecting: Promise<Admin> | undefined
  const connect = async (): Promise<Admin> => {
    const java = {
      'client.id': 'connector-adminclient',
      ...clientProperties('admin', parts.props, {}),
    }
    const { config } = parts.translate('admin', java)
    const admin = parts.clients.admin(config, clientEvents(parts, parts.log))
    try {
      await admin.connect(AbortSignal.timeout(CONNECT_TIMEOUT_MS))
      return admin
    } catch (error) {
      connecting = undefined
      await admin.close()
      throw error instanceof RetriableError
        ? error
        : new RetriableError(`Kafka does not answer: ${toMessage(error)}`, { cause: error })
    }
  }
  return () => {
    connecting ??= connect()
    return connecting
  }
}
