// The WebSocket to the worker, as signals. One connection for the whole page; it comes back by itself.
import { signal } from '@preact/signals'
import type { ConnectorMetrics, LiveMessage, Vehicle } from '../live/messages.ts'
import type { ConnectorStatus } from '../../connector/api/rest-extension.ts'
import { settle } from './status/pending.ts'

export interface VehicleReport {
  readonly full: boolean
  readonly vehicles: readonly Vehicle[]
  readonly gone: readonly string[]
}

export interface StatusEvent {
  readonly atMs: number
  readonly subject: string
  readonly text: string
}

const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 10_000
const HISTORY_MAX = 60
const EVENTS_MAX = 200
const LATEST_MAX = 10

export const connection = signal<'connecting' | 'open' | 'lost'>('connecting')
export const feedsMode = signal<string>('')
export const connectors = signal<readonly ConnectorStatus[]>([])
/** The newest figures last, per connector. */
export const history = signal<ReadonlyMap<string, readonly ConnectorMetrics[]>>(new Map())
export const events = signal<readonly StatusEvent[]>([])
/** Some of the newest reports of vehicles, the newest first. */
export const latest = signal<readonly Vehicle[]>([])
/** When the last report of vehicles came, in this machine's time. */
export const lastReportMs = signal(0)

type Listener = (report: VehicleReport, nowMs: number) => void
const listeners = new Set<Listener>()

/** Called for every report of vehicles; returns how to end it. */
export function onVehicles(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Opens the connection and keeps it open for as long as the page lives. */
export function connectLive(url: string): void {
  let backoffMs = BACKOFF_MS_MIN
  const open = (): void => {
    const socket = new WebSocket(url)
    socket.addEventListener('open', () => {
      connection.value = 'open'
      backoffMs = BACKOFF_MS_MIN
    })
    socket.addEventListener('message', (event: MessageEvent<string>) => {
      receive(JSON.parse(event.data) as LiveMessage)
    })
    socket.addEventListener('close', () => {
      connection.value = 'lost'
      setTimeout(open, backoffMs * (0.5 + Math.random()))
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    })
  }
  open()
}

function receive(message: LiveMessage): void {
  const nowMs = performance.now()
  switch (message.type) {
    case 'hello':
      feedsMode.value = message.feeds
      break
    case 'vehicles':
      if (message.vehicles.length > 0) lastReportMs.value = nowMs
      latest.value = newestOf(message.vehicles)
      for (const listener of listeners) listener(message, nowMs)
      break
    case 'connectors':
      note(message.connectors)
      connectors.value = message.connectors
      for (const { name } of message.connectors) settle(name)
      break
    case 'metrics':
      remember(message.connectors)
      break
  }
}

function newestOf(vehicles: readonly Vehicle[]): readonly Vehicle[] {
  const fresh = new Set(vehicles.slice(-LATEST_MAX).map(({ key }) => key))
  const before = latest.value.filter(({ key }) => !fresh.has(key))
  return [...vehicles.slice(-LATEST_MAX).toReversed(), ...before].slice(0, LATEST_MAX)
}

function remember(samples: readonly ConnectorMetrics[]): void {
  const next = new Map<string, readonly ConnectorMetrics[]>()
  for (const sample of samples) {
    const before = history.value.get(sample.name) ?? []
    next.set(sample.name, [...before, sample].slice(-HISTORY_MAX))
  }
  history.value = next
}

/** Turns what changed between two statuses into lines of a timeline. */
function note(next: readonly ConnectorStatus[]): void {
  if (connectors.value.length === 0) return
  const before = statesOf(connectors.value)
  const after = statesOf(next)
  const atMs = Date.now()
  const fresh: StatusEvent[] = []
  for (const [subject, text] of after) {
    if (before.get(subject) !== text) fresh.push({ atMs, subject, text })
  }
  for (const subject of before.keys()) {
    if (!after.has(subject)) fresh.push({ atMs, subject, text: 'gone' })
  }
  if (fresh.length > 0) events.value = [...fresh, ...events.value].slice(0, EVENTS_MAX)
}

function statesOf(list: readonly ConnectorStatus[]): Map<string, string> {
  const states = new Map<string, string>()
  for (const connector of list) {
    states.set(connector.name, connector.state)
    for (const task of connector.tasks) {
      const health =
        task.health === null || task.health.state === 'OK' ? '' : `: ${task.health.message}`
      const trace = task.trace === undefined ? '' : `: ${task.trace.split('\n', 1)[0]}`
      states.set(`${connector.name} task ${task.id}`, `${task.state}${health}${trace}`)
    }
  }
  return states
}
