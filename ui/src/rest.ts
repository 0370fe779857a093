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

/** The sentence of Kafka Connect's error body; undefined when it is none. */
export function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string } | null)?.message
  } catch {
    return undefined // Not JSON: the status has to do.
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

const REQUESTS: Readonly<Record<Action, readonly [method: string, path: string]>> = {
  pause: ['PUT', '/pause'],
  resume: ['PUT', '/resume'],
  stop: ['PUT', '/stop'],
  restart: ['POST', '/restart'],
  'restart-all': ['POST', '/restart?includeTasks=true'],
  'restart-failed': ['POST', '/restart?includeTasks=true&onlyFailed=true'],
  delete: ['DELETE', ''],
}

const pathOf = (name: string): string => `/connectors/${encodeURIComponent(name)}`

export async function act(name: string, action: Action): Promise<void> {
  const [method, path] = REQUESTS[action]
  await call(method, `${pathOf(name)}${path}`)
}

export const restartTask = (name: string, task: number): Promise<unknown> =>
  call('POST', `${pathOf(name)}/tasks/${task}/restart`)

export interface ConnectorInfo {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  readonly type: ConnectorStatus['type']
}

/** The configurations of all connectors, by name. */
export async function getInfos(): Promise<ReadonlyMap<string, ConnectorInfo>> {
  const all = await call<Record<string, { readonly info: ConnectorInfo }>>(
    'GET',
    '/connectors?expand=info',
  )
  return new Map(Object.entries(all ?? {}).map(([name, { info }]) => [name, info]))
}

/** The topics that a connector has used. */
export async function getTopics(name: string): Promise<readonly string[]> {
  const answer = await call<Record<string, { readonly topics: readonly string[] }>>(
    'GET',
    `${pathOf(name)}/topics`,
  )
  return answer?.[name]?.topics ?? []
}
