import { useEffect, useState } from 'preact/hooks'
import { count } from '../format.ts'
import { summarise } from '../map/filter.ts'
import { fleet } from '../map/fleet.ts'

const LINES_MAX = 16
const EVERY_MS = 2_000

/** Active vehicles, and which lines they are on. */
export function FleetSummary() {
  const [summary, setSummary] = useState(() => summarise(fleet, 0))
  useEffect(() => {
    const timer = setInterval(() => setSummary(summarise(fleet, 0)), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  const lines = summary.lines.slice(0, LINES_MAX)
  const top = lines[0]?.vehicles ?? 1
  return (
    <section class="fleet-summary" aria-label="Vehicles">
      <h2>Vehicles</h2>
      <p>
        <strong>{count(summary.total)}</strong> active on {count(summary.lines.length)} lines:{' '}
        {count(summary.kinds.subway)} subway trains, {count(summary.kinds.rail)} commuter trains,{' '}
        {count(summary.kinds.bus)} buses
      </p>
      <ul class="bars">
        {lines.map(({ line, kind, vehicles }) => (
          <li key={line}>
            <span class="bar-name">{line}</span>
            <span class={`bar bar-${kind}`} style={{ width: `${(vehicles / top) * 60}%` }} />
            <span>{vehicles}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
