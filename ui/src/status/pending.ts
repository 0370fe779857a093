// What the user has just asked of a connector and the worker has not shown yet.
import { signal } from '@preact/signals'

const LIMIT_MS = 10_000

const DOING = {
  pause: 'pausing…',
  resume: 'resuming…',
  stop: 'stopping…',
  restart: 'restarting…',
  'restart-all': 'restarting…',
  'restart-failed': 'restarting…',
  delete: 'deleting…',
} as const

/** By connector name; the value is what its badge says. */
export const pending = signal<ReadonlyMap<string, string>>(new Map())

/** Shows what is being done until it is done, for ten seconds at most. Rejects as `work` does. */
export async function whilePending(
  name: string,
  action: keyof typeof DOING,
  work: Promise<unknown>,
): Promise<void> {
  const text = DOING[action]
  pending.value = new Map(pending.value).set(name, text)
  const timer = setTimeout(() => settle(name), LIMIT_MS)
  try {
    await work
  } catch (error) {
    clearTimeout(timer)
    settle(name)
    throw error
  }
}

/** The worker has said how the connector is now. */
export function settle(name: string): void {
  if (!pending.value.has(name)) return
  const next = new Map(pending.value)
  next.delete(name)
  pending.value = next
}
