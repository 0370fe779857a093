import { useEffect, useState } from 'preact/hooks'
import type { Vehicle } from '../../live/messages.ts'
import { age, count } from '../format.ts'
import { latest } from '../live.ts'
import { subwayLines, summarise } from '../map/filter.ts'
import { fleet } from '../map/fleet.ts'
import { lineOf } from '../map/lines.ts'
import { statusOf } from '../map/vehicle-text.ts'
import { formatRoute } from '../route-text.ts'
import { lastMap } from '../route.ts'

const LINES_MAX = 20
const EVERY_MS = 1_000

/** Active vehicles by feed and by line, and the latest reports. */
export function FleetSummary() {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  const summary = summarise(fleet)
  const { total, kinds, lines } = summary
  return (
    <>
      <h2>
        Vehicles <small>{count(total)} active</small>
      </h2>
      <div class="columns">
        <Feeds />
        <section class="panel" aria-label="Activity by line">
          <h3>
            Subway trains by line <small>{count(kinds.subway)}</small>
          </h3>
          <Bars lines={subwayLines(summary)} />
        </section>
        <section class="panel" aria-label="Busiest bus routes and railroads">
          <h3>
            Buses and railroads <small>{count(kinds.bus + kinds.rail)}</small>
          </h3>
          <Bars lines={lines.filter(({ kind }) => kind !== 'subway').slice(0, LINES_MAX)} />
        </section>
      </div>
      <Latest />
    </>
  )
}

function Bars({ lines }: { readonly lines: ReturnType<typeof subwayLines> }) {
  const top = Math.max(1, ...lines.map(({ vehicles }) => vehicles))
  if (lines.length === 0) return <p class="soft">None.</p>
  return (
    <ul class="bars">
      {lines.map(({ line, kind, vehicles }) => (
        <li key={line}>
          <span class="bar-name">{line}</span>
          <span class={`bar bar-${kind}`} style={{ width: `${(vehicles / top) * 60}%` }} />
          <span>{vehicles}</span>
        </li>
      ))}
    </ul>
  )
}

const SILENT_MS = 90_000

function Feeds() {
  const feeds = fleet.feeds(performance.now())
  return (
    <section class="panel" aria-label="Feeds">
      <h3>Feeds</h3>
      <table class="plain">
        <thead>
          <tr>
            <th>Feed</th>
            <th class="number">Vehicles</th>
            <th class="number">Last report</th>
          </tr>
        </thead>
        <tbody>
          {feeds.map(({ feedId, vehicles, silentMs }) => (
            <tr key={feedId}>
              <th scope="row">{feedId}</th>
              <td class="number">{count(vehicles)}</td>
              <td class={`number ${silentMs > SILENT_MS ? 'warn' : ''}`}>
                {age(silentMs / 1000)} ago
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {feeds.length === 0 && <p class="soft">No feed has reported yet.</p>}
    </section>
  )
}

const clockTime = (ms: number): string => new Date(ms).toLocaleTimeString()
const linkTo = ({ key }: Vehicle): string => formatRoute({ ...lastMap.value, vehicle: key })

function Latest() {
  return (
    <section class="panel" aria-label="Latest records">
      <h3>Latest records</h3>
      <div class="table-scroll plain-scroll">
        <table class="plain">
          <thead>
            <tr>
              <th>Reported</th>
              <th>Line</th>
              <th>Vehicle</th>
              <th>Position</th>
              <th>Status</th>
            </tr>
          </thead>
          <tbody>
            {latest.value.map((vehicle) => (
              <tr key={vehicle.key}>
                <td>{clockTime(vehicle.reportedMs)}</td>
                <td>{lineOf(vehicle)}</td>
                <td>
                  <a href={linkTo(vehicle)}>
                    {vehicle.label ?? vehicle.vehicleId ?? vehicle.tripId ?? vehicle.key}
                  </a>
                </td>
                <td>
                  {vehicle.latitude.toFixed(4)}, {vehicle.longitude.toFixed(4)}
                </td>
                <td>{statusOf(vehicle, undefined) ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
