// Opens of one table's channels. Those that come together share one write to the table.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../api/clock.ts'
import { UnconfirmedCommitError } from '../../iceberg/types.ts'
import { ApiError, unavailable } from '../errors.ts'
import { Channel, type ChannelRecord, hasUncommitted, newRecord } from './channel.ts'
import { CHANNELS_MAX, type PipeChannels } from './pipe-channels.ts'
import type { Turn } from './turn.ts'

export interface OpenOptions {
  readonly offsetToken: string | undefined
  readonly failOnUncommittedRows: boolean
}

interface OpenRequest {
  readonly pipe: PipeChannels
  readonly name: string
  readonly options: OpenOptions
  readonly resolve: (channel: Channel) => void
  readonly reject: (error: unknown) => void
}

interface Opened {
  readonly request: OpenRequest
  readonly channel: Channel
  /** Undefined: the open made the channel. */
  readonly before: ChannelRecord | undefined
}

export interface ChannelOpensContext {
  readonly clock: Clock
  /** Commits, drops and opens of the table take turns by it. */
  readonly turn: Turn
  /** Throws away what a channel has uncommitted. */
  readonly discard: (channel: Channel) => void
  /** Writes the pipes' channels to the table. */
  readonly store: (pipes: readonly PipeChannels[]) => Promise<unknown>
}

const keyOf = ({ pipe, name }: { pipe: PipeChannels; name: string }): string =>
  JSON.stringify([pipe.name, name.toUpperCase()])

/** See the head of this file. */
export class ChannelOpens {
  readonly #context: ChannelOpensContext
  readonly #inProgress = new Set<string>()
  #waiting: OpenRequest[] = []

  constructor(context: ChannelOpensContext) {
    this.#context = context
  }

  /**
   * Opens or reopens a channel: fences its former writer, discards what it had uncommitted, and resolves once
   * the new client sequencer is stored. Only one open of a channel is under way at a time, so that no two
   * clients are given the same continuation token.
   * @throws ApiError 409 while another open of the channel is under way, and with `failOnUncommittedRows` when
   * there are such rows; 400 when the pipe is full; 503 when the table cannot be written: the former writer is
   * fenced then, and its uncommitted rows are gone.
   */
  open(pipe: PipeChannels, name: string, options: OpenOptions): Promise<Channel> {
    const key = keyOf({ pipe, name })
    if (this.#inProgress.has(key))
      return Promise.reject(
        new ApiError(
          409,
          'ERR_OPEN_CHANNEL_IN_PROGRESS',
          `Channel ${name} is being opened by somebody else.`,
        ),
      )
    // Asked once more in the turn; here, so that a commit that takes long does not hold the answer.
    if (options.failOnUncommittedRows && pipe.get(name)?.hasUncommittedRows === true)
      return Promise.reject(hasUncommitted(name))
    this.#inProgress.add(key)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pipe, name, options, resolve, reject })
      if (this.#waiting.length === 1) void this.#context.turn.run(() => this.#apply())
    })
  }

  async #apply(): Promise<void> {
    const requests = this.#waiting
    this.#waiting = []
    const opened = requests.flatMap((request) => this.#reopenOrRefuse(request))
    try {
      if (opened.length > 0)
        await this.#context.store([...new Set(opened.map(({ request }) => request.pipe))])
      for (const { request, channel } of opened) request.resolve(channel)
    } catch (error) {
      const refusal = unavailable(error)
      for (const each of opened) {
        this.#context.discard(each.channel)
        undo(each, error instanceof UnconfirmedCommitError)
        each.request.reject(refusal)
      }
    } finally {
      // An open that comes from here on has its turn after whoever was answered above read its token.
      for (const request of requests) this.#inProgress.delete(keyOf(request))
    }
  }

  #reopenOrRefuse(request: OpenRequest): readonly Opened[] {
    const refusal = refusalOf(request)
    if (refusal === undefined) return [this.#reopen(request)]
    request.reject(refusal)
    return []
  }

  #reopen(request: OpenRequest): Opened {
    const { pipe, name, options } = request
    const known = pipe.get(name)
    const before = known?.record
    const channel = known ?? new Channel(newRecord(name, this.#context.clock.now()))
    if (known === undefined) pipe.add(channel)
    this.#context.discard(channel)
    channel.open(randomUUID().slice(0, 8))
    if (pipe.isInvalid) channel.invalidatePipe()
    if (options.offsetToken !== undefined)
      channel.record = { ...channel.record, offsetToken: options.offsetToken }
    return { request, channel, before }
  }
}

function refusalOf({ pipe, name, options }: OpenRequest): ApiError | undefined {
  const channel = pipe.get(name)
  if (channel === undefined && pipe.all().length >= CHANNELS_MAX)
    return new ApiError(
      400,
      'ERR_TOO_MANY_CHANNELS',
      `The pipe has ${CHANNELS_MAX} channels already.`,
    )
  return options.failOnUncommittedRows && channel?.hasUncommittedRows === true
    ? hasUncommitted(name)
    : undefined
}

/** Not stored, so not open: a restart would forget this fence. Rows of the former writer are gone, so it must not go on either. */
function undo({ request, channel, before }: Opened, isVisible: boolean): void {
  channel.close()
  if (isVisible) return
  if (before === undefined) request.pipe.remove(channel)
  else channel.record = before
}
