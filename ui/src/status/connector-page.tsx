import { Fragment } from 'preact'
import type { ConnectorStatus, TaskStatus } from '../../../connector/api/rest-extension.ts'
import { age, count, rate } from '../format.ts'
import { connectors, history } from '../live.ts'
import { formatRoute } from '../route-text.ts'
import { restartTask } from '../rest.ts'
import { toastError } from '../toast.tsx'
import { Actions } from './actions.tsx'
import { Badge, ConnectorBadge } from './badge.tsx'
import { infos, topics } from './details.ts'
import { recentRate, shownValue } from './figures.ts'
import { Events } from './events.tsx'
import { whilePending } from './pending.ts'
import { Sparkline } from './sparkline.tsx'
import { shownState, taskShown } from './summary.ts'
import { Trace } from './trace.tsx'

export function ConnectorPage({ name }: { readonly name: string }) {
  const connector = connectors.value.find((one) => one.name === name)
  const all = <a href={formatRoute({ page: 'connectors' })}>Connectors</a>
  if (connector === undefined) {
    return (
      <p>
        {all} / {name}: there is no such connector.
      </p>
    )
  }
  return (
    <>
      <p class="crumbs">
        {all} / <strong>{name}</strong> <ConnectorBadge name={name} state={shownState(connector)} />
      </p>
      <Actions connector={connector} />
      {connector.trace !== undefined && (
        <section class="panel">
          <Trace text={connector.trace} />
        </section>
      )}
      <Figures connector={connector} />
      <Tasks connector={connector} />
      <Config name={name} />
      <Events subject={name} />
    </>
  )
}

function Figures({ connector: { name, type, workerId } }: { readonly connector: ConnectorStatus }) {
  const samples = history.value.get(name) ?? []
  const last = samples.at(-1)
  const rows: readonly (readonly [string, string])[] = [
    ['Type', type],
    ['Worker', workerId],
    ['Topics', (topics.value.get(name) ?? []).join(', ') || '–'],
    ['Last hour', `${count(last?.recordsLastHour ?? 0)} records`],
    ['Total', `${count(last?.recordsTotal ?? 0)} records`],
    ['Lag', last === undefined || last.lag === null ? '–' : `${count(last.lag)} records`],
  ]
  return (
    <section class="panel figures" aria-label="Figures">
      <dl>
        {rows.map(([key, text]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p>
        <strong>{rate(recentRate(samples))}</strong> records/s{' '}
        <Sparkline
          values={samples.map((sample) => sample.recordsPerSecond)}
          label="Records per second in the last two minutes"
        />
      </p>
    </section>
  )
}

function Tasks({ connector: { name, tasks } }: { readonly connector: ConnectorStatus }) {
  return (
    <>
      <h2>Tasks</h2>
      <div class="table-scroll">
        <table class="cards">
          <thead>
            <tr>
              <th>Task</th>
              <th>State</th>
              <th>Since</th>
              <th>Health</th>
              <th>
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <TaskRow key={task.id} name={name} task={task} />
            ))}
          </tbody>
        </table>
        {tasks.length === 0 && <p class="empty">It has no tasks.</p>}
      </div>
    </>
  )
}

function TaskRow({ name, task }: { readonly name: string; readonly task: TaskStatus }) {
  const { id, trace, health, sinceMs } = task
  const restart = (): void => {
    whilePending(name, 'restart', restartTask(name, id)).catch(toastError)
  }
  return (
    <Fragment>
      <tr>
        <th scope="row" data-name="Task">
          {id}
        </th>
        <td class="state">
          <Badge state={taskShown(task)} />
        </td>
        <td data-name="Since" title={new Date(sinceMs).toLocaleString()}>
          {age((Date.now() - sinceMs) / 1000)}
        </td>
        <td class={`health ${health?.state === 'DEGRADED' ? 'warn' : ''}`} data-name="Health">
          {health?.message ?? '–'}
        </td>
        <td class="can">
          <button type="button" aria-label={`Restart task ${id}`} onClick={restart}>
            Restart
          </button>
        </td>
      </tr>
      {trace !== undefined && (
        <tr class="problem failure">
          <td colSpan={5}>
            <Trace text={trace} />
          </td>
        </tr>
      )}
    </Fragment>
  )
}

function Config({ name }: { readonly name: string }) {
  const entries = Object.entries(infos.value.get(name)?.config ?? {})
  return (
    <section class="panel" aria-label="Configuration">
      <h2>Configuration</h2>
      <dl class="config">
        {entries
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{shownValue(key, value)}</dd>
            </div>
          ))}
      </dl>
    </section>
  )
}
