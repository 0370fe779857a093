import { signal } from '@preact/signals'
import { Fragment } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { count, rate } from '../format.ts'
import { connectors, history } from '../live.ts'
import { formatRoute } from '../route-text.ts'
import { route } from '../route.ts'
import { Actions } from './actions.tsx'
import { ConnectorBadge } from './badge.tsx'
import { ConnectorPage } from './connector-page.tsx'
import { DeleteDialog } from './delete-dialog.tsx'
import { followDetails, infos, topics } from './details.ts'
import { Events } from './events.tsx'
import { recentRate } from './figures.ts'
import { FleetSummary } from './fleet-summary.tsx'
import { Sparkline } from './sparkline.tsx'
import { counters, inOrder, isMeant, type Only, problemsOf, shownState } from './summary.ts'

const only = signal<Only>('all')

export function StatusPage() {
  useEffect(followDetails, [])
  const { value } = route
  return (
    <div class="status-page">
      {value.page === 'connector' ? <ConnectorPage name={value.name} /> : <Overview />}
      <DeleteDialog />
    </div>
  )
}

function Overview() {
  const shown = inOrder(connectors.value).filter((one) => isMeant(one, only.value))
  return (
    <>
      <Counters list={connectors.value} />
      <div class="table-scroll">
        <table class="cards">
          <thead>
            <tr>
              <th>Name</th>
              <th>Type</th>
              <th>Topics</th>
              <th>State</th>
              <th>Tasks</th>
              <th>Records/s</th>
              <th class="number">Last hour</th>
              <th class="number">Total</th>
              <th class="number">Lag</th>
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
          <p class="empty">{only.value === 'all' ? 'No connector yet.' : 'None.'}</p>
        )}
      </div>
      <FleetSummary />
      <Events subject={undefined} />
    </>
  )
}

const TILES: readonly (readonly [keyof ReturnType<typeof counters>, string, Only])[] = [
  ['connectors', 'connectors', 'all'],
  ['failedConnectors', 'failed connectors', 'failed-connectors'],
  ['tasks', 'tasks', 'tasks'],
  ['failedTasks', 'failed tasks', 'failed-tasks'],
]

function Counters({ list }: { readonly list: readonly ConnectorStatus[] }) {
  const figures = counters(list)
  return (
    <div class="counters" role="group" aria-label="Show only">
      {TILES.map(([key, name, filter]) => (
        <button
          key={key}
          type="button"
          class={key.startsWith('failed') && figures[key] > 0 ? 'bad' : ''}
          aria-pressed={only.value === filter}
          onClick={() => {
            only.value = filter
          }}
        >
          <strong>{figures[key]}</strong> {name}
        </button>
      ))}
    </div>
  )
}

function Row({ connector }: { readonly connector: ConnectorStatus }) {
  const { name, type, tasks } = connector
  const samples = history.value.get(name) ?? []
  const last = samples.at(-1)
  const running = tasks.filter((task) => task.state === 'RUNNING').length
  const isDown = tasks.some((task) => task.state === 'FAILED')
  return (
    <Fragment>
      <tr>
        <th scope="row">
          <a href={formatRoute({ page: 'connector', name })}>{name}</a>
          <small>{shortClass(infos.value.get(name)?.config['connector.class'])}</small>
        </th>
        <td data-name="Type">{type}</td>
        <td class="topics" data-name="Topics">
          {(topics.value.get(name) ?? []).join(', ') || '–'}
        </td>
        <td class="state">
          <ConnectorBadge name={name} state={shownState(connector)} />
        </td>
        <td class={isDown ? 'bad' : ''} data-name="Tasks">
          {running}/{tasks.length}
        </td>
        <td class="rate" data-name="Records/s">
          <span>{rate(recentRate(samples))}</span>
          <Sparkline
            values={samples.map((sample) => sample.recordsPerSecond)}
            label={`Records per second of ${name} in the last two minutes`}
          />
        </td>
        <td class="number" data-name="Last hour">
          {count(last?.recordsLastHour ?? 0)}
        </td>
        <td class="number" data-name="Total">
          {count(last?.recordsTotal ?? 0)}
        </td>
        <td class="number" data-name="Lag">
          {last === undefined || last.lag === null ? '–' : count(last.lag)}
        </td>
        <td class="can">
          <Actions connector={connector} isRow />
        </td>
      </tr>
      {problemsOf(connector).map(({ subject, text, isFailure }) => (
        <tr key={subject} class={`problem ${isFailure ? 'failure' : ''}`}>
          <td colSpan={10}>
            <b>{subject}</b> {text}
          </td>
        </tr>
      ))}
    </Fragment>
  )
}

/** A class without its package. */
const shortClass = (name: string | undefined): string => name?.split('.').at(-1) ?? ''
