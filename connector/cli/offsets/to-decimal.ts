// From positions as this connector keeps them (`<topic id>:<offset>`) to those of Snowflake's own, plain decimals.
import { ConnectError } from '../../api/errors.ts'
import type { PipeName, SnowpipeClient } from '../../snowflake/client.ts'
import { isMissingObject } from '../../snowflake/errors.ts'
import { parseToken } from '../../snowflake/offset-token.ts'

/** A partition and its channel. */
export interface ChannelPlace {
  readonly topic: string
  readonly partition: number
  readonly channel: string
  readonly pipe: PipeName
  /** The id that Kafka tells now; undefined where the cluster tells none. */
  readonly topicId: string | undefined
  /** First and next offset of the partition. */
  readonly log: { readonly beginning: number; readonly end: number }
}

export interface Position extends ChannelPlace {
  readonly token: string | null
}

/** The decimal to write; undefined when there is nothing to do. @throws ConnectError when it would not be exact. */
export function decimalOf(position: Position): string | undefined {
  const { channel, token, topicId, topic, log } = position
  const stored = parseToken(token)
  if (stored === null) return undefined
  const where = `Channel ${channel} has token ${JSON.stringify(token)}`
  if (stored === undefined)
    throw new ConnectError(`${where}, expected <topic id>:<offset> or an offset`)
  if (stored.topicId !== undefined && stored.topicId !== topicId)
    throw new ConnectError(
      `${where}, and topic ${topic} has the id ${topicId ?? 'that nobody tells'}: a decimal would be read as an offset of the topic that is there now`,
    )
  if (stored.offset < 0)
    throw new ConnectError(
      `${where}, which is before the first record: Snowflake's connector would begin where its consumer group stands`,
    )
  const next = stored.offset + 1
  if (next < log.beginning || next > log.end)
    throw new ConnectError(
      `${where}, and ${topic}-${position.partition} holds offsets ${log.beginning} to ${log.end - 1}: where Snowflake's connector went on would be up to auto.offset.reset`,
    )
  return stored.topicId === undefined ? undefined : String(stored.offset)
}

type Channels = Pick<SnowpipeClient, 'open' | 'statuses'>

export interface Caller {
  readonly client: Channels
  readonly requestId: () => string
  readonly timeoutMs: number
}

/** The tokens of those channels that exist. @throws SnowpipeError, RetriableError. */
export async function readPositions(
  places: readonly ChannelPlace[],
  { client, requestId, timeoutMs }: Caller,
): Promise<readonly Position[]> {
  const positions: Position[] = []
  for (const place of places) {
    const found = await statusesOf(place, { client, requestId, timeoutMs })
    const status = found?.get(place.channel)
    if (status !== undefined) positions.push({ ...place, token: status.committedToken })
  }
  return positions
}

/** Undefined where the table is not there, and so no channel of it. */
async function statusesOf(
  { pipe, channel }: ChannelPlace,
  { client, requestId, timeoutMs }: Caller,
): Promise<Awaited<ReturnType<Channels['statuses']>> | undefined> {
  try {
    return await client.statuses(pipe, [channel], {
      attempt: { id: requestId(), retries: 0 },
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    if (isMissingObject(error)) return undefined
    throw error
  }
}

/**
 * Writes the channel's position as a decimal, and gives it. The first opening shuts out whoever still writes, so that what
 * it answers cannot be overtaken before the second one sets it; rows that wait to be committed refuse it.
 *
 * @throws ConnectError when it would not be exact, SnowpipeError and RetriableError when it is refused or not answered.
 */
export async function writeDecimal(
  place: ChannelPlace,
  { client, requestId, timeoutMs }: Caller,
): Promise<string | undefined> {
  const request = () => ({
    failOnUncommittedRows: true,
    attempt: { id: requestId(), retries: 0 },
    signal: AbortSignal.timeout(timeoutMs),
  })
  const { status } = await client.open(place.pipe, place.channel, request())
  const offsetToken = decimalOf({ ...place, token: status.committedToken })
  if (offsetToken === undefined) return undefined
  const after = await client.open(place.pipe, place.channel, { ...request(), offsetToken })
  if (after.status.committedToken !== offsetToken)
    throw new ConnectError(
      `Channel ${place.channel} has token ${JSON.stringify(after.status.committedToken)} after it was set to ${offsetToken}: somebody else writes to it`,
    )
  return offsetToken
}
