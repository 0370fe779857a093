import { useState } from 'preact/hooks'
import { count } from '../format.ts'
import { type Filter, search, type Summary } from './filter.ts'
import { fleet } from './fleet.ts'
import { type Kind, type LineColors, textOn } from './lines.ts'

const KINDS: readonly (readonly [Kind, string])[] = [
  ['subway', 'Subway'],
  ['rail', 'Rail'],
  ['bus', 'Buses'],
]
const RESULTS_MAX = 12

export interface MapPanelProps {
  readonly summary: Summary
  readonly colors: LineColors
  readonly filter: Filter
  readonly onFilter: (filter: Filter) => void
  readonly onSelect: (key: string) => void
}

export function MapPanel({ summary, colors, filter, onFilter, onSelect }: MapPanelProps) {
  const [text, setText] = useState('')
  const results = search(fleet, text, RESULTS_MAX)
  const toggle = (kind: Kind): void => {
    const kinds = new Set(filter.kinds)
    if (!kinds.delete(kind)) kinds.add(kind)
    onFilter({ line: undefined, kinds })
  }
  return (
    <section class="map-panel" aria-label="What the map shows">
      <p class="totals" data-testid="totals">
        <strong>{count(summary.total)}</strong> vehicles, {count(summary.inView)} in view
      </p>
      <div class="kinds">
        {KINDS.map(([kind, name]) => (
          <button
            key={kind}
            type="button"
            aria-pressed={filter.line === undefined && filter.kinds.has(kind)}
            onClick={() => toggle(kind)}
          >
            {name} <span>{count(summary.kinds[kind])}</span>
          </button>
        ))}
      </div>
      <Lines summary={summary} colors={colors} filter={filter} onFilter={onFilter} />
      <input
        type="search"
        placeholder="Route or vehicle, e.g. M15"
        aria-label="Search a route or a vehicle"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {results.length > 0 && (
        <ul class="results">
          {results.map((vehicle) => (
            <li key={vehicle.key}>
              <button type="button" onClick={() => onSelect(vehicle.key)}>
                <b>{vehicle.routeId ?? '–'}</b>{' '}
                {vehicle.label ?? vehicle.vehicleId ?? vehicle.tripId}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Lines({ summary, colors, filter, onFilter }: Omit<MapPanelProps, 'onSelect'>) {
  return (
    <div class="lines" role="group" aria-label="Lines">
      {summary.lines
        .filter(({ kind }) => kind === 'subway')
        .sort((a, b) => a.line.localeCompare(b.line))
        .map(({ line, vehicles }) => {
          const color = `#${colors.route(line)?.color ?? '6b7280'}`
          return (
            <button
              key={line}
              type="button"
              class="line"
              style={{ background: color, color: textOn(color) }}
              aria-pressed={filter.line === line}
              aria-label={`${line} line, ${vehicles} trains`}
              title={`${colors.route(line)?.long ?? line}: ${vehicles} trains`}
              onClick={() => onFilter({ ...filter, line: filter.line === line ? undefined : line })}
            >
              {line}
            </button>
          )
        })}
    </div>
  )
}
