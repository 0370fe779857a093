import { signal } from '@preact/signals'
import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { count, rate } from '../format.ts'
import { connectors, history } from '../live.ts'
import { formatRoute, route } from '../route.ts'
import { Actions } from './actions.tsx'
import { ConnectorPage } from './connector-page.tsx'
import { FleetSummary } from './fleet-summary.tsx'
import { Sparkline } from './sparkline.tsx'
import { counters, inOrder, shownState } from './summary.ts'

type Only = 'all' | 'failed'
const only = signal<Only>('all')

export function StatusPage() {
  const { value } = route
  if (value.page === 'connector') return <ConnectorPage name={value.name} />
  const list = inOrder(connectors.value)
  const shown =
    only.value === 'all'
      ? list
      : list.filter((one) => ['FAILED', 'DEGRADED'].includes(shownState(one)))
  return (
    <div class="status-page">
      <Counters list={connectors.value} />
      <div class="table-scroll">
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Type</th>
              <th>State</th>
              <th>Tasks</th>
              <th>Records/s</th>
              <th>Total</th>
              <th>Lag</th>
              <th>
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((connector) => (
              <Row key={connector.name} connector={connector} />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p class="empty">No connector {only.value === 'failed' ? 'has failed' : 'yet'}.</p>
        )}
      </div>
      <FleetSummary />
    </div>
  )
}

function Counters({ list }: { readonly list: readonly ConnectorStatus[] }) {
  const figures = counters(list)
  const tiles: readonly (readonly [string, number, Only])[] = [
    ['connectors', figures.connectors, 'all'],
    ['failed connectors', figures.failedConnectors, 'failed'],
    ['tasks', figures.tasks, 'all'],
    ['failed tasks', figures.failedTasks, 'failed'],
  ]
  return (
    <div class="counters">
      {tiles.map(([name, figure, filter]) => (
        <button
          key={name}
          type="button"
          class={filter === 'failed' && figure > 0 ? 'bad' : ''}
          aria-pressed={only.value === filter}
          onClick={() => {
            only.value = filter
          }}
        >
          <strong>{figure}</strong> {name}
        </button>
      ))}
    </div>
  )
}

function Row({ connector }: { readonly connector: ConnectorStatus }) {
  const samples = history.value.get(connector.name) ?? []
  const last = samples.at(-1)
  const running = connector.tasks.filter((task) => task.state === 'RUNNING').length
  const state = shownState(connector)
  return (
    <tr>
      <td>
        <a href={formatRoute({ page: 'connector', name: connector.name })}>{connector.name}</a>
      </td>
      <td>{connector.type}</td>
      <td>
        <span class={`badge state-${state.toLowerCase()}`}>{state}</span>
      </td>
      <td class={running < connector.tasks.length ? 'bad' : ''}>
        {running}/{connector.tasks.length}
      </td>
      <td class="rate">
        <Sparkline
          values={samples.map((sample) => sample.recordsPerSecond)}
          label="Records per second of the last two minutes"
        />
        {rate(last?.recordsPerSecond ?? 0)}
      </td>
      <td>{count(last?.recordsTotal ?? 0)}</td>
      <td>{last === undefined || last.lag === null ? '–' : count(last.lag)}</td>
      <td>
        <Actions connector={connector} />
      </td>
    </tr>
  )
}
