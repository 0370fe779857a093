import { Channel, type ChannelRecord, decodeRecords, newRecord } from './channel.ts'

const PROPERTY = 'snowpipe.channels'
/** Active named channels of a pipe, as Snowflake limits them. */
export const CHANNELS_MAX = 2_000
/** Takes rows without opening, tokens or order. */
export const ELASTIC_CHANNEL = 'ELASTIC'

/** The channels of one pipe. Names are one channel whatever their case, as in Snowflake's paths. */
export class PipeChannels {
  readonly name: string
  readonly isDefault: boolean
  /** The table property that holds them. */
  readonly property: string
  /** Opens answer 200 with a status other than SUCCESS, and appends are thrown away; for fault injection. */
  isInvalid = false
  readonly #channels = new Map<string, Channel>()

  constructor(name: string, isDefault: boolean, properties: Readonly<Record<string, string>>) {
    this.name = name
    this.isDefault = isDefault
    this.property = isDefault ? PROPERTY : `${PROPERTY}.${name}`
    const stored = properties[this.property]
    if (stored !== undefined) for (const record of decodeRecords(stored)) this.add(restored(record))
  }

  get(name: string): Channel | undefined {
    return this.#channels.get(name.toUpperCase())
  }

  add(channel: Channel): void {
    this.#channels.set(channel.record.name.toUpperCase(), channel)
  }

  remove(channel: Channel): void {
    this.#channels.delete(channel.record.name.toUpperCase())
  }

  all(): readonly Channel[] {
    return [...this.#channels.values()]
  }

  /** The elastic channel, made by its first use. */
  elastic(nowMs: number): Channel {
    const known = this.get(ELASTIC_CHANNEL)
    if (known !== undefined) return known
    const channel = new Channel(newRecord(ELASTIC_CHANNEL, nowMs))
    this.add(channel)
    return channel
  }
}

/**
 * A channel of an earlier process. What its client had uncommitted is lost, and a client that only waits for
 * its commit would never learn that from a status of SUCCESS.
 */
function restored(record: ChannelRecord): Channel {
  const channel = new Channel(record)
  if (record.name !== ELASTIC_CHANNEL) channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED'
  return channel
}
