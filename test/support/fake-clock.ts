import type { Clock } from '../../connector/api/clock.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/**
 * Time that passes only when a test says so, by `advance`; or, with `auto`, by every `sleep` at once.
 * `sleepsMs` lists what was asked for.
 */
export class FakeClock implements Clock {
  readonly sleepsMs: number[] = []
  readonly #auto: boolean
  #nowMs: number
  #sleepers: Sleeper[] = []

  constructor(options: { readonly nowMs?: number; readonly auto?: boolean } = {}) {
    this.#nowMs = options.nowMs ?? 0
    this.#auto = options.auto ?? false
  }

  now(): number {
    return this.#nowMs
  }

  /** How many sleeps are pending. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.sleepsMs.push(ms)
    if (this.#auto) {
      this.#nowMs += ms
      return
    }
    await new Promise<void>((resolve, reject) => {
      const sleeper: Sleeper = { atMs: this.#nowMs + ms, wake: () => end(resolve) }
      const onAbort = (): void => end(() => reject(signal?.reason as Error))
      const end = (settle: () => void): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Lets time pass: wakes sleepers in their order, each followed by everything that it sets in motion. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settled()
    for (;;) {
      const next = this.#sleepers
        .filter((sleeper) => sleeper.atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.wake()
      await settled()
    }
    this.#nowMs = untilMs
    await settled()
  }
}

/** Resolves once every promise chain that can go on without time or I/O has done so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}
