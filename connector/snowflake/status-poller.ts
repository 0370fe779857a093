// Asks for the status of all channels of a pipe at once: often while rows wait for their commit, now and then otherwise, so
// that a channel that became invalid is noticed even when no record comes any more.
import type { Clock } from '../api/clock.ts'
import { RetriableError } from '../api/errors.ts'
import type { Channel } from './channel.ts'
import { isOpen } from './channel-state.ts'
import type { PipeName, SnowpipeClient } from './client.ts'
import { SnowpipeError } from './errors.ts'
import { Operations, type OperationsOptions } from './operations.ts'

export interface PollerOptions extends OperationsOptions {
  readonly client: SnowpipeClient
  readonly clock: Clock
  readonly requestId: () => string
  readonly busyMs: number
  readonly idleMs: number
}

/** What the official SDK asks for at once; the service's limit is not documented. */
const NAMES_MAX = 100

export class StatusPoller {
  readonly #o: PollerOptions
  readonly #pipe: PipeName
  readonly #operations: Operations
  #lastMs: number
  #failure: Error | undefined

  constructor(pipe: PipeName, options: PollerOptions) {
    this.#o = options
    this.#pipe = pipe
    this.#operations = new Operations(options)
    this.#lastMs = options.clock.now()
  }

  get problem(): string | undefined {
    return this.#operations.trouble
  }
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Starts a poll when one is due. `channels`: all of the pipe. */
  advance(channels: readonly Channel[]): void {
    const { clock, busyMs, idleMs, requestId, client } = this.#o
    const open = channels.filter((channel) => isOpen(channel.state))
    const isBusy = open.some((channel) => channel.uncommittedRows > 0)
    const isDue = clock.now() - this.#lastMs >= (isBusy ? busyMs : idleMs)
    if (open.length === 0 || !isDue || !this.#operations.canStart) return
    this.#lastMs = clock.now()
    const asked = open.map((channel) => ({ channel, epoch: channel.epoch }))
    const attempt = { id: requestId(), retries: this.#operations.failures }
    this.#operations.run(
      async (signal) => {
        for (let at = 0; at < asked.length; at += NAMES_MAX) {
          const part = asked.slice(at, at + NAMES_MAX)
          const names = part.map(({ channel }) => channel.name)
          const statuses = await client.statuses(this.#pipe, names, { attempt, signal })
          for (const { channel, epoch } of part) channel.observe(statuses.get(channel.name), epoch)
        }
      },
      () => {
        this.#lastMs = clock.now()
      },
      (error) => this.#react(error, channels),
    )
  }

  #react(error: unknown, channels: readonly Channel[]): void {
    if (error instanceof RetriableError) this.#retry(error, error.retryAfterMs)
    else if (!(error instanceof SnowpipeError)) this.#fail(error)
    else if (error.reaction === 'fail') this.#fail(error)
    else {
      if (error.reaction === 'rediscover' || error.reaction === 'reopen') {
        for (const channel of channels) channel.abandon(`cannot be asked for: ${error.message}`)
      }
      this.#retry(error, error.retryAfterMs)
    }
  }

  #retry(error: Error, floorMs: number | undefined): void {
    this.#operations.retryLater(`status of pipe ${this.#pipe.pipe}`, error, floorMs)
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof Error ? error : new Error(String(error))
  }
}
