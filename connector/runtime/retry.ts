import type { Clock, Random } from '../api/clock.ts'
import { RetriableError } from '../api/errors.ts'

export interface BackOff {
  readonly delayMsMin: number
  readonly delayMsMax: number
  readonly random: Random
}

/**
 * How long to wait after the `attempt`th failure (from 1): exponential with full jitter, since a fleet that
 * failed together must not retry together. What the other side asked for is a floor and may exceed the cap.
 */
export function backOffMs(attempt: number, error: unknown, backOff: BackOff): number {
  const { delayMsMin, delayMsMax, random } = backOff
  const cap = Math.min(delayMsMax, delayMsMin * 2 ** Math.min(attempt - 1, 30))
  const askedMs = error instanceof RetriableError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(askedMs, delayMsMin / 2 + random() * (cap - delayMsMin / 2))
}

export interface RetryPolicy extends BackOff {
  readonly clock: Clock
  /** Aborting it ends the wait at once; the last error is then thrown. */
  readonly signal: AbortSignal
  /** -1: no limit, as in `errors.retry.timeout`. */
  readonly timeoutMs: number
  /** Told before each wait. */
  readonly onRetry?: (error: RetriableError, attempt: number, waitMs: number) => void
}

/** Calls `operation` until it returns, throws something other than `RetriableError`, or runs out of time. */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
): Promise<T> {
  const { clock, signal, timeoutMs } = policy
  const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : clock.now() + timeoutMs
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt)
    } catch (error) {
      if (!(error instanceof RetriableError) || signal.aborted) throw error
      const waitMs = backOffMs(attempt, error, policy)
      if (clock.now() + waitMs > deadline) throw error
      policy.onRetry?.(error, attempt, waitMs)
      await clock.sleep(waitMs, signal).catch(() => {}) // An abort shows in `signal.aborted` below.
      if (signal.aborted) throw error
    }
  }
}
