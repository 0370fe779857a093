/** Resolves after `ms`, when `wake` is called on it, or when the signal aborts; never rejects. */
export class Nap {
  #wake: (() => void) | undefined
  #isAwake = false

  /** Ends the current sleep, or the next one at once. */
  readonly wake = (): void => {
    this.#isAwake = true
    this.#wake?.()
  }

  /** From now on only a new `wake` ends a sleep early. */
  settle(): void {
    this.#isAwake = false
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isAwake || signal.aborted || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#wake = end
      signal.addEventListener('abort', end, { once: true })
    })
  }
}

/** True once `promise` is settled, false when that takes longer than `ms`. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Rejects with the signal's reason once it aborts, else settles as `promise` does. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal))
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('Aborted.', { cause: signal.reason })
