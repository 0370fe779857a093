import { useEffect, useState } from 'preact/hooks'
import type { Vehicle } from '../../live/messages.ts'
import { age } from '../format.ts'
import { fleet } from './fleet.ts'
import type { Geometry } from './geometry.ts'
import { kindOf, lineOf, textOn } from './lines.ts'
import { filter, isFollowing, select, setLine } from './map-state.ts'
import { lineName, sourceOf, statusOf, wayOf } from './vehicle-text.ts'

const KIND = { subway: 'Train', rail: 'Train', bus: 'Bus' } as const

/** What is known of the selected vehicle. */
export function VehicleCard(props: { readonly vehicleKey: string; readonly geometry: Geometry }) {
  const { vehicleKey, geometry } = props
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1_000)
    return () => clearInterval(timer)
  }, [])
  const vehicle = fleet.vehicle(vehicleKey)
  if (vehicle === undefined) {
    return (
      <aside class="card" aria-label="Selected vehicle" data-testid="card">
        <p>This vehicle is not reported any more.</p>
        <button type="button" onClick={() => select(undefined)}>
          Close
        </button>
      </aside>
    )
  }
  const color = geometry.colors.of(vehicle)
  const kind = kindOf(vehicle.feedId)
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ['Line', kind === 'subway' ? geometry.colors.route(vehicle.routeId)?.long : undefined],
    ['Now', statusOf(vehicle, geometry)],
    ['Vehicle', vehicle.label ?? vehicle.vehicleId],
    ['Trip', vehicle.tripId],
    ['Position', sourceOf(vehicle)],
    ['As of', `${age(fleet.ageSeconds(vehicle, performance.now()))} ago`],
    ['Feed', vehicle.feedId],
  ]
  return (
    <aside class="card" aria-label="Selected vehicle" data-testid="card">
      <h2>
        <span class="bullet" style={{ background: color, color: textOn(color) }}>
          {lineName(vehicle)}
        </span>{' '}
        {KIND[kind]} {wayOf(vehicle, geometry)}
      </h2>
      <dl>
        {rows
          .filter(([, text]) => text !== null && text !== undefined && text !== '')
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      <CardActions vehicle={vehicle} />
    </aside>
  )
}

function CardActions({ vehicle }: { readonly vehicle: Vehicle }) {
  const line = lineOf(vehicle)
  const only = filter.value.line
  return (
    <p class="card-actions">
      <button
        type="button"
        aria-pressed={isFollowing.value}
        aria-keyshortcuts="F"
        onClick={() => {
          isFollowing.value = !isFollowing.value
        }}
      >
        Follow <kbd>F</kbd>
      </button>
      <button
        type="button"
        aria-pressed={only === line}
        onClick={() => setLine(only === line ? undefined : line)}
      >
        Only {lineName(vehicle)}
      </button>
      <button type="button" aria-keyshortcuts="Escape" onClick={() => select(undefined)}>
        Close <kbd>Esc</kbd>
      </button>
    </p>
  )
}
