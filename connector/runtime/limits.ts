import type { Clock } from '../api/clock.ts'
import { ConnectError } from '../api/errors.ts'
import type { Awaitable } from '../api/task-context.ts'

/** A call took longer than it may. What it answers later is ignored. */
export class TimeLimitError extends ConnectError {}

/** Whether an `Awaitable` must be waited for. */
export const isPromise = <T>(value: Awaitable<T>): value is Promise<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

/**
 * The promise's result, or a `TimeLimitError` after `limitMs`, or the signal's reason once it aborts. The
 * promise itself goes on; its late result is dropped.
 */
export async function withLimit<T>(
  what: string,
  work: Awaitable<T>,
  options: { readonly clock: Clock; readonly limitMs: number; readonly signal?: AbortSignal },
): Promise<T> {
  if (!isPromise(work)) return work
  if (options.limitMs === Number.POSITIVE_INFINITY) {
    return options.signal === undefined ? work : untilAborted(work, options.signal)
  }
  const done = new AbortController()
  const timer = options.clock.sleep(options.limitMs, done.signal).then(
    () => {
      throw new TimeLimitError(`${what} did not finish within ${options.limitMs} ms.`)
    },
    () => new Promise<never>(() => {}), // Aborted, because the race is over.
  )
  try {
    const race = Promise.race([work, timer])
    return await (options.signal === undefined ? race : untilAborted(race, options.signal))
  } finally {
    done.abort()
  }
}

/** The promise's result, or a rejection with the signal's reason once it aborts. */
export async function untilAborted<T>(work: Awaitable<T>, signal: AbortSignal): Promise<T> {
  if (!isPromise(work)) return work
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}
