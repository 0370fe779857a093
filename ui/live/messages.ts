// What goes over /ui/live, worker to page, one JSON text per message. The page imports these types only.
import type { ConnectorStatus } from '../../connector/api/rest-extension.ts'

/** Where a subway train is on its track: it moves from `from` to `to` metres of the shape between two times. */
export interface Anchor {
  readonly shapeId: string
  readonly fromMeters: number
  readonly toMeters: number
  /** Milliseconds since the Unix epoch, of the feed's clock. */
  readonly fromMs: number
  readonly toMs: number
}

export interface Vehicle {
  /** `{feed}|{vehicle}`: stable over reports. */
  readonly key: string
  readonly feedId: string
  readonly routeId: string | null
  readonly tripId: string | null
  readonly vehicleId: string | null
  readonly label: string | null
  readonly latitude: number
  readonly longitude: number
  /** Degrees clockwise from north. */
  readonly bearing: number | null
  readonly stopId: string | null
  readonly status: string | null
  readonly source: string | null
  readonly anchor: Anchor | null
  /** The vehicle's own time, else its feed's; milliseconds since the Unix epoch. */
  readonly reportedMs: number
  readonly feedMs: number
}

export interface ConnectorMetrics {
  readonly name: string
  /** Of a source: acknowledged; of a sink: put. Since the task started. */
  readonly recordsTotal: number
  /** In the last hour, or since the worker started if that is less. */
  readonly recordsLastHour: number
  readonly recordsPerSecond: number
  /** Of a sink: records written to the topics and not yet read. */
  readonly lag: number | null
}

export type LiveMessage =
  | {
      readonly type: 'hello'
      /** live, simulated or replay. */
      readonly feeds: string
      readonly nowMs: number
    }
  | {
      readonly type: 'vehicles'
      readonly nowMs: number
      /** True: these are all; false: what changed since the message before. */
      readonly full: boolean
      readonly vehicles: readonly Vehicle[]
      readonly gone: readonly string[]
    }
  | { readonly type: 'connectors'; readonly connectors: readonly ConnectorStatus[] }
  | {
      readonly type: 'metrics'
      readonly nowMs: number
      readonly connectors: readonly ConnectorMetrics[]
    }
