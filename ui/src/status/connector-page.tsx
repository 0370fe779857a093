import { useEffect, useState } from 'preact/hooks'
import type { TaskStatus } from '../../../connector/api/rest-extension.ts'
import { age } from '../format.ts'
import { connectors, events } from '../live.ts'
import { formatRoute } from '../route.ts'
import { type ConnectorInfo, getInfo, restartTask } from '../rest.ts'
import { toast } from '../toast.tsx'
import { Actions } from './actions.tsx'
import { shownState } from './summary.ts'

export function ConnectorPage({ name }: { readonly name: string }) {
  const connector = connectors.value.find((one) => one.name === name)
  const [info, setInfo] = useState<ConnectorInfo | undefined>(undefined)
  useEffect(() => {
    getInfo(name).then(setInfo, (error: unknown) =>
      toast(error instanceof Error ? error.message : String(error)),
    )
  }, [name])
  if (connector === undefined) {
    return (
      <div class="status-page">
        <p>
          <a href={formatRoute({ page: 'connectors' })}>Connectors</a> / {name}: there is no such
          connector.
        </p>
      </div>
    )
  }
  const state = shownState(connector)
  return (
    <div class="status-page">
      <p class="crumbs">
        <a href={formatRoute({ page: 'connectors' })}>Connectors</a> / <strong>{name}</strong>{' '}
        <span class={`badge state-${state.toLowerCase()}`}>{state}</span> {connector.type} on{' '}
        {connector.workerId}
      </p>
      <Actions connector={connector} />
      {connector.trace !== undefined && <Trace text={connector.trace} />}
      <h2>Tasks</h2>
      <div class="table-scroll">
        <table>
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
            {connector.tasks.map((task) => (
              <TaskRow key={task.id} name={name} task={task} />
            ))}
          </tbody>
        </table>
      </div>
      <Config info={info} />
      <Events name={name} />
    </div>
  )
}

function Config({ info }: { readonly info: ConnectorInfo | undefined }) {
  return (
    <>
      <h2>Configuration</h2>
      <dl class="config">
        {Object.entries(info?.config ?? {})
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </>
  )
}

function Events({ name }: { readonly name: string }) {
  return (
    <>
      <h2>Events</h2>
      <ul class="events">
        {events.value
          .filter(({ subject }) => subject === name || subject.startsWith(`${name} task `))
          .map(({ atMs, subject, text }) => (
            <li key={`${atMs}${subject}`}>
              <time>{new Date(atMs).toLocaleTimeString()}</time> {subject}: {text}
            </li>
          ))}
        {events.value.length === 0 && <li>Nothing has changed since this page was opened.</li>}
      </ul>
    </>
  )
}

function TaskRow({ name, task }: { readonly name: string; readonly task: TaskStatus }) {
  const restart = (): void => {
    restartTask(name, task.id).catch((error: unknown) =>
      toast(error instanceof Error ? error.message : String(error)),
    )
  }
  const isDegraded = task.health?.state === 'DEGRADED'
  return (
    <>
      <tr>
        <td>{task.id}</td>
        <td>
          <span
            class={`badge state-${isDegraded && task.state === 'RUNNING' ? 'degraded' : task.state.toLowerCase()}`}
          >
            {task.state}
          </span>
        </td>
        <td>{age((Date.now() - task.sinceMs) / 1000)}</td>
        <td>{task.health?.message ?? ''}</td>
        <td>
          <button type="button" onClick={restart}>
            Restart
          </button>
        </td>
      </tr>
      {task.trace !== undefined && (
        <tr>
          <td colSpan={5}>
            <Trace text={task.trace} />
          </td>
        </tr>
      )}
    </>
  )
}

/** The root cause first; the rest on request. */
function Trace({ text }: { readonly text: string }) {
  const causes = text.split('\n').filter((line) => line.startsWith('Caused by: '))
  const first = causes.at(-1)?.replace('Caused by: ', '') ?? text.split('\n', 1)[0]
  return (
    <details class="trace">
      <summary>{first}</summary>
      <button type="button" onClick={() => void navigator.clipboard.writeText(text)}>
        Copy
      </button>
      <pre>{text}</pre>
    </details>
  )
}
