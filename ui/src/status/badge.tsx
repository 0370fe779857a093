import { pending } from './pending.ts'
import type { Shown } from './summary.ts'

export const Badge = ({ state }: { readonly state: Shown }) => (
  <span class={`badge state-${state.toLowerCase()}`}>{state}</span>
)

/** A connector's state, or what it has just been asked to do. */
export function ConnectorBadge({ name, state }: { readonly name: string; readonly state: Shown }) {
  const doing = pending.value.get(name)
  return doing === undefined ? (
    <Badge state={state} />
  ) : (
    <span class="badge state-restarting">{doing}</span>
  )
}
