// From the position that Snowflake has to where Kafka is read next (connector/DESIGN.md, decision 8).
import { ConnectError } from '../api/errors.ts'
import type { LogBounds } from '../api/sink-task.ts'
import type { TopicPartition } from '../api/topic-partition.ts'
import { parseToken, type Position } from './offset-token.ts'

export interface PositionQuestion {
  readonly tp: TopicPartition
  readonly stored: Position
  readonly topicId: string | undefined
  readonly log: LogBounds
  readonly policy: 'fail' | 'reset'
}

export interface StartPosition {
  /** Where to read next. */
  readonly seekTo: number
  /** The last offset that is stored of this very topic; undefined: none. */
  readonly committed: number | undefined
  /** What an operator should know. */
  readonly warning?: string
}

/** True when both ids are known and differ: the topic was deleted and made again. */
export const isOtherTopic = (stored: Position, topicId: string | undefined): boolean =>
  stored.topicId !== undefined && topicId !== undefined && stored.topicId !== topicId

/**
 * @throws ConnectError when going on would skip records, or when an operator must say what to do
 * (`snowflake.topic.recreated`).
 */
export function startPosition(question: PositionQuestion): StartPosition {
  const { tp, stored, topicId, log, policy } = question
  const where = `${tp.topic}-${tp.partition}`
  if (isOtherTopic(stored, topicId)) {
    const what = `Topic ${tp.topic} was recreated: the channel of ${where} holds offset ${stored.offset} of topic id ${stored.topicId}, the topic's id is ${topicId}`
    if (policy === 'fail') throw new ConnectError(`${what}. ${HOW}`)
    return { seekTo: log.beginning, committed: undefined, warning: `${what}; reading it anew.` }
  }
  const next = stored.offset + 1
  if (next > log.end) {
    const what = `The channel of ${where} has stored offset ${stored.offset}, but the log ends at ${log.end}: it was recreated or has lost records`
    if (policy === 'fail') throw new ConnectError(`${what}. ${HOW}`)
    // With the id known to be the same, everything below the end is stored already; without, it may be another topic.
    const isSameTopic = stored.topicId !== undefined && stored.topicId === topicId
    return isSameTopic
      ? { seekTo: log.end, committed: log.end - 1, warning: `${what}; going on at its end.` }
      : { seekTo: log.beginning, committed: undefined, warning: `${what}; reading it anew.` }
  }
  if (next < log.beginning) {
    throw new ConnectError(
      `Offsets ${next} to ${log.beginning - 1} of ${where} are lost: the log begins at ${log.beginning}, but only ${stored.offset} and before are stored. Set the position with the offsets API to accept that.`,
    )
  }
  return { seekTo: next, committed: stored.offset }
}

/** A channel's token, and what is needed to tell where to read. */
export interface StartQuestion {
  readonly channel: string
  readonly tp: TopicPartition
  readonly token: string | null
  readonly topicId: string | undefined
  readonly policy: 'fail' | 'reset'
  /** The first record that must be read again though it is stored; undefined: none. */
  readonly replayFrom: number | undefined
  logBounds(tp: TopicPartition): Promise<LogBounds>
}

/**
 * Where to read next after a channel was opened; no `seekTo` when it has no position yet.
 * @throws ConnectError for a token that no client we know writes, and as `startPosition` does.
 */
export async function findStart(
  question: StartQuestion,
): Promise<Partial<StartPosition> & { readonly committed: number | undefined }> {
  const { channel, tp, token, topicId, policy, replayFrom } = question
  const stored = parseToken(token)
  if (stored === undefined) {
    throw new ConnectError(
      `Channel ${channel} has offset token ${JSON.stringify(token)}, expected <topic id>:<offset> or an offset: another program writes to it`,
    )
  }
  if (stored === null) return { committed: undefined }
  const log = await question.logBounds(tp)
  const start = startPosition({ tp, stored, topicId, log, policy })
  if (replayFrom === undefined || start.committed === undefined) return start
  return { ...start, seekTo: Math.min(start.seekTo, Math.max(replayFrom, log.beginning)) }
}

const HOW =
  'Set snowflake.topic.recreated=reset to read it anew, or set the position with the offsets API.'
