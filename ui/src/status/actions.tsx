import { useState } from 'preact/hooks'
import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { act, type Action } from '../rest.ts'
import { toast } from '../toast.tsx'

const NAMES: Readonly<Record<Action, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  restart: 'Restart',
  'restart-all': 'Restart with tasks',
  'restart-failed': 'Restart failed',
  delete: 'Delete…',
}

/** What makes sense in a state. */
export function actionsFor(connector: ConnectorStatus): readonly Action[] {
  const hasFailed =
    connector.state === 'FAILED' || connector.tasks.some((task) => task.state === 'FAILED')
  const failed: readonly Action[] = hasFailed ? ['restart-failed'] : []
  switch (connector.state) {
    case 'PAUSED':
      return [...failed, 'resume', 'stop', 'delete']
    case 'STOPPED':
      return ['resume', 'delete']
    default:
      return [...failed, 'restart-all', 'pause', 'stop', 'delete']
  }
}

export function Actions({ connector }: { readonly connector: ConnectorStatus }) {
  const [busy, setBusy] = useState<Action | undefined>(undefined)
  const run = async (action: Action): Promise<void> => {
    if (action === 'delete') {
      const typed = prompt(`Type the name of the connector to delete it: ${connector.name}`)
      if (typed !== connector.name) return
    }
    setBusy(action)
    try {
      await act(connector.name, action)
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(undefined)
    }
  }
  return (
    <span class="actions">
      {actionsFor(connector).map((action) => (
        <button
          key={action}
          type="button"
          disabled={busy !== undefined}
          class={action === 'delete' ? 'danger' : ''}
          onClick={() => void run(action)}
        >
          {busy === action ? '…' : NAMES[action]}
        </button>
      ))}
    </span>
  )
}
