import { useEffect, useState } from 'preact/hooks'
import { age } from '../format.ts'
import { fleet } from './fleet.ts'
import { kindOf, type LineColors, textOn } from './lines.ts'

const STATUS: Readonly<Record<string, string>> = {
  STOPPED_AT: 'at',
  INCOMING_AT: 'arriving at',
  IN_TRANSIT_TO: 'on the way to',
}
const SOURCE: Readonly<Record<string, string>> = {
  GPS: 'GPS',
  INTERPOLATED: 'placed on its track between stations',
  AT_STOP: 'at a station',
}
const KIND = { subway: 'train', rail: 'train', bus: 'bus' } as const

export interface VehicleCardProps {
  readonly vehicleKey: string
  readonly colors: LineColors
  readonly stops: ReadonlyMap<string, string>
  readonly isFollowing: boolean
  readonly onFollow: (follow: boolean) => void
  readonly onClose: () => void
}

export function VehicleCard(props: VehicleCardProps) {
  const { vehicleKey, colors, stops, isFollowing, onFollow, onClose } = props
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1_000)
    return () => clearInterval(timer)
  }, [])
  const vehicle = fleet.vehicle(vehicleKey)
  if (vehicle === undefined) {
    return (
      <aside class="card" aria-label="Selected vehicle">
        <p>This vehicle is not reported any more.</p>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </aside>
    )
  }
  const color = colors.of(vehicle)
  const stop = vehicle.stopId === null ? undefined : (stops.get(vehicle.stopId) ?? vehicle.stopId)
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ['Now', stop === undefined ? vehicle.status : `${STATUS[vehicle.status ?? ''] ?? ''} ${stop}`],
    ['Vehicle', vehicle.label ?? vehicle.vehicleId],
    ['Trip', vehicle.tripId],
    ['Position', SOURCE[vehicle.source ?? ''] ?? vehicle.source],
    ['As of', `${age(fleet.ageSeconds(vehicle, performance.now()))} ago`],
    ['Feed', vehicle.feedId],
  ]
  return (
    <aside class="card" aria-label="Selected vehicle" data-testid="card">
      <h2>
        <span class="bullet" style={{ background: color, color: textOn(color) }}>
          {vehicle.routeId ?? '–'}
        </span>{' '}
        {colors.route(vehicle.routeId)?.long ?? KIND[kindOf(vehicle.feedId)]}
      </h2>
      <dl>
        {rows
          .filter(([, text]) => text !== null && text !== undefined && text.trim() !== '')
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      <p class="card-actions">
        <button type="button" aria-pressed={isFollowing} onClick={() => onFollow(!isFollowing)}>
          Follow (F)
        </button>
        <button type="button" onClick={onClose}>
          Close (Esc)
        </button>
      </p>
    </aside>
  )
}
