// What an operator sees of a worker from outside: its REST API, and what its page is told.
import { WebSocket } from 'ws'
import type { ConnectorStatus } from '../../connector/api/rest-extension.ts'

export interface Answer {
  readonly status: number
  readonly json: unknown
}

const ANSWER_LIMIT_MS = 5_000
const OFFSETS_LIMIT_MS = 30_000

/** Rejects when there is no answer within five seconds; what changes offsets in Kafka may take thirty. */
export async function ask(url: string, method = 'GET', body?: unknown): Promise<Answer> {
  const limitMs = url.endsWith('/offsets') ? OFFSETS_LIMIT_MS : ANSWER_LIMIT_MS
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(limitMs),
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    }),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}

interface StatusAnswer {
  readonly status: {
    readonly connector: { readonly state: string; readonly trace?: string }
    readonly tasks: readonly { readonly state: string; readonly trace?: string }[]
  }
}

/** State of each task by the REST API, `mta-source-0: RUNNING`. */
export async function taskStates(worker: string): Promise<readonly string[]> {
  const { json } = await ask(`${worker}/connectors?expand=status`)
  return Object.entries(json as Record<string, StatusAnswer>)
    .flatMap(([name, { status }]) =>
      status.tasks.map(({ state }, index) => `${name}-${index}: ${state}`),
    )
    .toSorted((a, b) => a.localeCompare(b))
}

/** The traces of what has failed. */
export async function traces(worker: string): Promise<readonly string[]> {
  const { json } = await ask(`${worker}/connectors?expand=status`)
  return Object.values(json as Record<string, StatusAnswer>).flatMap(({ status }) =>
    [status.connector, ...status.tasks].flatMap(({ trace }) => trace ?? []),
  )
}

/** What the page shows of the connectors: the next status that comes over `/ui/live`. */
export function pageStatus(worker: string): Promise<readonly ConnectorStatus[]> {
  const socket = new WebSocket(`${worker.replace('http', 'ws')}/ui/live`)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('No status came over /ui/live.')),
      ANSWER_LIMIT_MS,
    )
    socket.on('error', reject)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as {
        type: string
        connectors: readonly ConnectorStatus[]
      }
      if (message.type !== 'connectors') return
      clearTimeout(timer)
      socket.terminate()
      resolve(message.connectors)
    })
  })
}

/** Which vehicles the page is told to take off the map, until `stop`. */
export function watchGone(worker: string): { stop(): readonly string[] } {
  const socket = new WebSocket(`${worker.replace('http', 'ws')}/ui/live`)
  const gone: string[] = []
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as { gone?: readonly string[] }
    gone.push(...(message.gone ?? []))
  })
  return {
    stop: () => {
      socket.terminate()
      return gone
    },
  }
}

/** What the page says about the tasks that an operator should look at, `mta-source-0: why`. */
export async function degraded(worker: string): Promise<readonly string[]> {
  const connectors = await pageStatus(worker)
  return connectors.flatMap(({ name, tasks }) =>
    tasks.flatMap(({ id, health }) =>
      health?.state === 'DEGRADED' ? [`${name}-${id}: ${health.message}`] : [],
    ),
  )
}
