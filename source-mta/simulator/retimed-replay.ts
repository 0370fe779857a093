// Plays recorded bodies as if they were made now: in the spacing of their recording, all their times moved.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { PluginLogger } from '../../connector/api/plugin-metrics.ts'
import { type BodySource, etagOf, type FeedBody } from './body-source.ts'
import { ALL_FEEDS, type SimulatedFeed } from './feed-catalog.ts'
import type { FeedClock } from './feed-clock.ts'
import { findRecordings, type Recording, warnIgnored } from './replay.ts'
import { retimeFeed, retimeJson, shiftOf } from './retime.ts'
import { headerTimestamp, splitMessage } from './wire-message.ts'

/** Bodies move by multiples of this, so that NYCT's half minutes stay half minutes. */
const GRID_S = 30

interface Timed extends Recording {
  /** Unix seconds. */
  readonly at: number
}

interface Sequence {
  readonly recordings: readonly Timed[]
  readonly firstAt: number
  /** From the first recording to the first one of the next round. */
  readonly roundS: number
  /** Seconds by which the first round is moved. */
  readonly shiftS: number
  current: { readonly key: string; readonly body: Promise<FeedBody> } | undefined
  round: number
  position: number
  served: number
}

export interface RetimedReplayOptions {
  readonly dir: string
  readonly map: Readonly<Record<string, string>>
  /** `loop`: from the beginning again, with later times; `once`: the last body stays. */
  readonly retime: 'loop' | 'once'
  readonly clock: Pick<FeedClock, 'now'>
  readonly log: PluginLogger
}

/**
 * Recorded bodies with all their times moved so that the first one was recorded when the replay began. Which
 * one is current depends on the feeds' clock alone, not on who asks. A new round and the end are logged and
 * shown in the status.
 */
export class RetimedReplay implements BodySource {
  readonly #sequences = new Map<string, Sequence>()
  readonly #options: RetimedReplayOptions

  /** Throws ConfigError as `findRecordings` does, RangeError when a body without a time in its name has none inside. */
  constructor(options: RetimedReplayOptions) {
    this.#options = options
    const { byFeed, ignored } = findRecordings(options.dir, options.map)
    warnIgnored(options.log, ignored)
    for (const feed of ALL_FEEDS) {
      const recordings = byFeed.get(feed.id)
      if (recordings !== undefined)
        this.#sequences.set(feed.id, newSequence(feed, recordings, options.clock.now()))
    }
  }

  async body(feed: SimulatedFeed): Promise<FeedBody | undefined> {
    const sequence = this.#sequences.get(feed.id)
    if (sequence === undefined) return undefined
    this.#advance(feed, sequence)
    const { round, position } = sequence
    const key = `${round}/${position}`
    if (sequence.current?.key !== key) sequence.current = { key, body: load(feed, sequence, round) }
    const { current } = sequence
    try {
      return await current.body
    } catch (error) {
      if (sequence.current === current) sequence.current = undefined
      throw error
    }
  }

  served(feed: SimulatedFeed): void {
    const sequence = this.#sequences.get(feed.id)
    if (sequence !== undefined) sequence.served++
  }

  status(): { kind: string; done: boolean; feeds: Record<string, object> } {
    const feeds = ALL_FEEDS.flatMap((feed) => {
      const sequence = this.#sequences.get(feed.id)
      if (sequence === undefined) return []
      this.#advance(feed, sequence)
      const { recordings, position, round, served, shiftS, roundS } = sequence
      const done = this.#options.retime === 'once' && position === recordings.length - 1
      const shift = shiftS + round * roundS
      return [{ id: feed.id, bodies: recordings.length, position, round, shift, served, done }]
    })
    return {
      kind: 'retimed-replay',
      done: feeds.every(({ done }) => done),
      feeds: Object.fromEntries(feeds.map(({ id, ...rest }) => [id, rest])),
    }
  }

  #advance(feed: SimulatedFeed, sequence: Sequence): void {
    const { recordings, firstAt, roundS, shiftS } = sequence
    const elapsed = this.#options.clock.now() - firstAt - shiftS
    const isLoop = this.#options.retime === 'loop'
    const round = isLoop ? Math.floor(elapsed / roundS) : 0
    const within = elapsed - round * roundS
    const next = recordings.findIndex(({ at }) => at - firstAt > within)
    const position = next === -1 ? recordings.length - 1 : Math.max(next - 1, 0)
    const log = { feed: feed.id, round, bodies: recordings.length }
    if (round !== sequence.round) this.#options.log.info(log, 'A replay begins again.')
    const hasEnded = !isLoop && position === recordings.length - 1 && position !== sequence.position
    if (hasEnded) this.#options.log.info(log, 'A replay has come to its last body.')
    sequence.round = round
    sequence.position = position
  }
}

function newSequence(feed: SimulatedFeed, recordings: readonly Recording[], now: number): Sequence {
  const timed = recordings
    .map(
      (recording): Timed => ({ ...recording, at: recording.recordedAt ?? timeInside(recording) }),
    )
    .sort((a, b) => a.at - b.at)
  const firstAt = timed[0]?.at ?? 0
  const lengthS = (timed.at(-1)?.at ?? firstAt) - firstAt
  const spacingS = timed.length > 1 ? lengthS / (timed.length - 1) : feed.stepS
  return {
    recordings: timed,
    firstAt,
    roundS: Math.max(GRID_S, Math.ceil((lengthS + spacingS) / GRID_S) * GRID_S),
    shiftS: Math.floor((now - firstAt) / GRID_S) * GRID_S,
    current: undefined,
    round: 0,
    position: 0,
    served: 0,
  }
}

/** When a body was made, by its own word. */
function timeInside({ file }: Recording): number {
  const bytes = readFileSync(file)
  if (!file.endsWith('.json')) return headerTimestamp(splitMessage(bytes).header)
  const text = bytes.toString('utf8')
  const [, iso] = /"ResponseTimestamp"\s*:\s*"([^"]+)"/.exec(text) ?? []
  const [, unix] = /"timestamp"\s*:\s*(\d+)/.exec(text) ?? []
  return iso === undefined ? Number(unix ?? 0) : Math.floor(Date.parse(iso) / 1000)
}

async function load(feed: SimulatedFeed, sequence: Sequence, round: number): Promise<FeedBody> {
  const recording = sequence.recordings[sequence.position]
  if (recording === undefined)
    throw new RangeError(`A sequence has no recording ${sequence.position}.`)
  const recorded = await readFile(recording.file)
  const seconds = sequence.shiftS + round * sequence.roundS
  // The whole round moves by the same days: a trip keeps its key from body to body, also past midnight.
  const shift = shiftOf(sequence.firstAt, seconds)
  const bytes =
    feed.format === 'json'
      ? Buffer.from(retimeJson(recorded.toString('utf8'), shift), 'utf8')
      : retimeFeed(recorded, shift)
  return { bytes, etag: etagOf(bytes), lastModified: recording.at + seconds }
}
