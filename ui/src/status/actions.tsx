import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { act, type Action } from '../rest.ts'
import { toastError } from '../toast.tsx'
import { askToDelete } from './delete-dialog.tsx'
import { pending, whilePending } from './pending.ts'
import { actionsFor } from './summary.ts'

const NAMES: Readonly<Record<Action, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  restart: 'Restart',
  'restart-all': 'Restart',
  'restart-failed': 'Restart failed',
  delete: 'Delete…',
}
const TITLES: Readonly<Partial<Record<Action, string>>> = {
  'restart-all': 'Restart the connector and all its tasks',
  'restart-failed': 'Restart what has failed, and nothing else',
  stop: 'End the tasks; offsets are kept',
  delete: 'Asks for the name first',
}
/** How many of them a row of the table has room for. */
const IN_A_ROW = 2

/** Buttons for what makes sense in the connector's state. */
export function Actions(props: { readonly connector: ConnectorStatus; readonly isRow?: boolean }) {
  const { connector, isRow = false } = props
  const { name } = connector
  const isBusy = pending.value.has(name)
  const run = (action: Action): void => {
    if (action === 'delete') askToDelete(name)
    else whilePending(name, action, act(name, action)).catch(toastError)
  }
  return (
    <span class="actions">
      {actionsFor(connector)
        .slice(0, isRow ? IN_A_ROW : undefined)
        .map((action) => (
          <button
            key={action}
            type="button"
            disabled={isBusy}
            title={TITLES[action]}
            aria-label={`${NAMES[action]} ${name}`}
            class={action === 'delete' ? 'danger' : ''}
            onClick={() => run(action)}
          >
            {NAMES[action]}
          </button>
        ))}
    </span>
  )
}
