// The worker's public REST API, as far as the page uses it.
import type { ConnectorStatus } from '../../connector/api/rest-extension.ts'

export class RestError extends Error {}

const LIMIT_MS = 30_000

async function call<T>(method: string, path: string): Promise<T | undefined> {
  const response = await fetch(path, {
    method,
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(LIMIT_MS),
  })
  const text = await response.text()
  if (!response.ok) throw new RestError(messageOf(text) ?? `${method} ${path}: ${response.status}`)
  return text === '' ? undefined : (JSON.parse(text) as T)
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message
  } catch {
    return undefined // Not Kafka Connect's error body: the status has to do.
  }
}

export type Action =
  | 'pause'
  | 'resume'
  | 'stop'
  | 'restart'
  | 'restart-all'
  | 'restart-failed'
  | 'delete'

export async function act(name: string, action: Action): Promise<void> {
  const path = `/connectors/${encodeURIComponent(name)}`
  switch (action) {
    case 'pause':
    case 'resume':
    case 'stop':
      await call('PUT', `${path}/${action}`)
      break
    case 'restart':
      await call('POST', `${path}/restart`)
      break
    case 'restart-all':
      await call('POST', `${path}/restart?includeTasks=true`)
      break
    case 'restart-failed':
      await call('POST', `${path}/restart?includeTasks=true&onlyFailed=true`)
      break
    case 'delete':
      await call('DELETE', path)
      break
  }
}

export const restartTask = (name: string, task: number): Promise<unknown> =>
  call('POST', `/connectors/${encodeURIComponent(name)}/tasks/${task}/restart`)

export interface ConnectorInfo {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  readonly type: ConnectorStatus['type']
}

export const getInfo = (name: string): Promise<ConnectorInfo | undefined> =>
  call('GET', `/connectors/${encodeURIComponent(name)}`)
