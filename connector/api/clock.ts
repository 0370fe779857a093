/** The only way that the runtime and plugins may tell time. Tests pass a fake one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** In [0, 1), as `Math.random`. */
export type Random = () => number
