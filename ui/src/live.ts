// The WebSocket to the worker, as signals. One connection for the whole page; it comes back by itself.
import { signal } from '@preact/signals'
import type { ConnectorMetrics, LiveMessage, Vehicle } from '../live/messages.ts'
import type { ConnectorStatus } from '../../connector/api/rest-extension.ts'
import { changesBetween, type StatusEvent } from './status/changes.ts'
import { settle } from './status/pending.ts'

export interface VehicleReport {
  readonly full: boolean
  readonly vehicles: readonly Vehicle[]
  readonly gone: readonly string[]
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
      events.value = [
        ...changesBetween(connectors.value, message.connectors, Date.now()),
        ...events.value,
      ].slice(0, EVENTS_MAX)
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
