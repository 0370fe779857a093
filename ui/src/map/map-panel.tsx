import { useState } from 'preact/hooks'
import type { Vehicle } from '../../live/messages.ts'
import { count } from '../format.ts'
import { search, subwayLines } from './filter.ts'
import { fleet } from './fleet.ts'
import type { Geometry } from './geometry.ts'
import { type Kind, letterOf, textOn } from './lines.ts'
import {
  filter,
  inView,
  listed,
  selected,
  setLine,
  summary,
  toggleKind,
  visit,
} from './map-state.ts'
import { BusMark, RailMark, SubwayMark } from './marks.tsx'
import { idOf, lineName, nameOf, statusOf, wayOf } from './vehicle-text.ts'

const KINDS: readonly (readonly [Kind, string, typeof BusMark])[] = [
  ['subway', 'Subway', SubwayMark],
  ['rail', 'Rail', RailMark],
  ['bus', 'Buses', BusMark],
]
const RESULTS_MAX = 12

/** What is on the map: figures, filters, search and a list; on a small screen closed at first. */
export function MapPanel({ geometry }: { readonly geometry: Geometry }) {
  const [isSmall] = useState(() => matchMedia('(max-width: 620px)').matches)
  const { total, kinds } = summary.value
  const { line, kinds: shown } = filter.value
  return (
    <details class="map-panel" open={!isSmall}>
      <summary data-testid="totals">
        <strong>{count(total)}</strong> vehicles, <strong>{count(inView.value)}</strong> in view
      </summary>
      <div class="kinds">
        {KINDS.map(([kind, name, Mark]) => (
          <button
            key={kind}
            type="button"
            aria-pressed={line === undefined && shown.has(kind)}
            onClick={() => toggleKind(kind)}
          >
            <Mark /> {name}
            <span>{count(kinds[kind])}</span>
          </button>
        ))}
      </div>
      <Lines geometry={geometry} />
      <Search geometry={geometry} />
      <List geometry={geometry} />
      <p class="legend">Pale: no news for 90 seconds.</p>
    </details>
  )
}

function Lines({ geometry }: { readonly geometry: Geometry }) {
  const only = filter.value.line
  return (
    <div class="lines" role="group" aria-label="Subway lines">
      {subwayLines(summary.value).map(({ line, vehicles }) => {
        const route = geometry.colors.route(line)
        const color = `#${route?.color ?? '6b7280'}`
        return (
          <button
            key={line}
            type="button"
            class="line"
            aria-pressed={only === line}
            aria-label={`${route?.long ?? line}, line ${letterOf(line)}: ${vehicles} trains`}
            title={`${route?.long ?? line}: ${vehicles} trains`}
            onClick={() => setLine(only === line ? undefined : line)}
          >
            <b style={{ background: color, color: textOn(color) }}>{letterOf(line)}</b>
            {vehicles}
          </button>
        )
      })}
    </div>
  )
}

function Search({ geometry }: { readonly geometry: Geometry }) {
  const [text, setText] = useState('')
  const { vehicles, total } = search(fleet, text, RESULTS_MAX)
  const [first] = vehicles
  return (
    <>
      <input
        type="search"
        placeholder="Route or vehicle, e.g. M15"
        aria-label="Search a route or a vehicle"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && first !== undefined) visit(first.key)
        }}
      />
      <p class="legend" role="status">
        {foundText(text, vehicles.length, total)}
      </p>
      <Vehicles vehicles={vehicles} geometry={geometry} label="Found" />
    </>
  )
}

function foundText(text: string, shown: number, total: number): string {
  if (text.trim() === '') return ''
  if (total === 0) return 'Nothing found.'
  return shown < total ? `${shown} of ${count(total)} found.` : `${count(total)} found.`
}

function List({ geometry }: { readonly geometry: Geometry }) {
  const vehicles = listed.value
  return (
    <>
      <button
        type="button"
        class="wide"
        aria-expanded={vehicles !== undefined}
        onClick={() => {
          listed.value = vehicles === undefined ? [] : undefined
        }}
      >
        {vehicles === undefined ? 'List what is in view' : 'Close the list'}
      </button>
      {vehicles !== undefined && (
        <Vehicles vehicles={vehicles} geometry={geometry} label="In view" />
      )}
    </>
  )
}

function Vehicles(props: {
  readonly vehicles: readonly Vehicle[]
  readonly geometry: Geometry
  readonly label: string
}) {
  const { vehicles, geometry, label } = props
  if (vehicles.length === 0) return null
  return (
    <ul class="results" aria-label={label}>
      {vehicles.map((vehicle) => (
        <li key={vehicle.key}>
          <button
            type="button"
            aria-pressed={vehicle.key === selected.value}
            onClick={() => visit(vehicle.key)}
          >
            <span class="visually-hidden">{nameOf(vehicle, geometry)}</span>
            <b aria-hidden="true">{lineName(vehicle)}</b>{' '}
            <span>
              {idOf(vehicle)}
              <small>{whereabouts(vehicle, geometry)}</small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** `to 8 Av, next stop: Bedford Av`. */
const whereabouts = (vehicle: Vehicle, geometry: Geometry): string =>
  [wayOf(vehicle, geometry), statusOf(vehicle, geometry)].filter(Boolean).join(', ')
