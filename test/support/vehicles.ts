import type { Anchor, Vehicle } from '../../ui/live/messages.ts'

/** A bus as the page is told of it, but for what `extra` says. */
export const bus = (id: string, extra: Partial<Vehicle> = {}): Vehicle => ({
  key: `mta-bus-vp|${id}`,
  feedId: 'mta-bus-vp',
  routeId: 'M15',
  tripId: null,
  vehicleId: id,
  label: null,
  latitude: 40.72,
  longitude: -73.98,
  bearing: null,
  stopId: null,
  status: null,
  source: 'GPS',
  anchor: null,
  reportedMs: 0,
  feedMs: 0,
  ...extra,
})

/** A subway train. */
export const train = (id: string, extra: Partial<Vehicle> = {}): Vehicle =>
  bus(id, {
    key: `mta-subway-l|${id}`,
    feedId: 'mta-subway-l',
    routeId: 'L',
    source: 'INTERPOLATED',
    ...extra,
  })

export const anchor = (extra: Partial<Anchor> = {}): Anchor => ({
  shapeId: 'shape',
  fromMeters: 0,
  toMeters: 1_000,
  fromMs: 0,
  toMs: 100_000,
  ...extra,
})
