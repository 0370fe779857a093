// Plays recorded bodies back, byte by byte as they were recorded.
import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from '../../connector/api/errors.ts'
import type { PluginLogger } from '../../connector/api/plugin-metrics.ts'
import { type BodySource, etagOf, type FeedBody } from './body-source.ts'
import { ALL_FEEDS, feedNamed, type SimulatedFeed } from './feed-catalog.ts'
import type { FeedClock } from './feed-clock.ts'

const BODY_BYTES_MAX = 64 * 1024 * 1024
const RECORDINGS_MAX = 100_000
/** What a clock that runs at a speed of its own may be off by rounding. */
const CLOCK_ERROR_S = 1e-6

export interface Recording {
  readonly file: string
  /** Unix seconds from the file's name; undefined for a single body. */
  readonly recordedAt: number | undefined
}

interface Sequence {
  readonly recordings: readonly Recording[]
  /** Index of the current recording. */
  position: number
  /** Unix seconds of the clock when it became current. */
  since: number
  wasServed: boolean
  loading: Promise<FeedBody> | undefined
  /** What `loading` resolved with. */
  body: FeedBody | undefined
  servedBodies: number
  responses: number
}

export interface ReplayOptions {
  readonly dir: string
  /** A tag, or a file's name without `.pb`, to a feed's id or tag. Comes before the names' own tags. */
  readonly map: Readonly<Record<string, string>>
  /** Its speed is the replay's. */
  readonly clock: Pick<FeedClock, 'now'>
  readonly log: PluginLogger
}

/**
 * The recordings of a folder by feed, in the order they are played: `<unix seconds>.<tag>.pb`, then `NAME.pb`
 * (`.json` for feeds of JSON). A file belongs to the feed that `map` or else its tag names; the tag of NAME is
 * what stands before its first or second `_`, `-` or `.`. Throws ConfigError when a name in `map` is no feed, or no file belongs to any feed.
 */
export function findRecordings(
  dir: string,
  map: Readonly<Record<string, string>>,
): { readonly byFeed: ReadonlyMap<string, readonly Recording[]>; readonly ignored: string[] } {
  const wanted = new Map(
    Object.entries(map).map(([name, target]) => {
      const feed = feedNamed(target)
      if (feed === undefined)
        throw new ConfigError(
          `Replay map ${name}=${target}: expected a feed, one of ${ALL_FEEDS.map(({ tag }) => tag).join(', ')}.`,
        )
      return [name, feed]
    }),
  )
  const byFeed = new Map<string, Recording[]>()
  const ignored: string[] = []
  for (const file of listBodies(dir)) {
    const name = file.replace(/\.(pb|json)$/, '')
    const [, seconds, tag] = /^(\d+)\.([^.]+)$/.exec(name) ?? []
    const ownTag = tag ?? /^[^_.-]+/.exec(name)?.[0] ?? ''
    const longTag = /^([^_.-]+)[_-]([^_.-]+)/.exec(name)?.slice(1, 3).join('-') ?? ''
    const named = wanted.get(name) ?? wanted.get(longTag) ?? wanted.get(ownTag)
    const feed = named ?? feedNamed(longTag) ?? feedNamed(ownTag)
    if (feed === undefined || file.endsWith('.json') !== (feed.format === 'json')) {
      ignored.push(file)
      continue
    }
    const recordings = byFeed.get(feed.id) ?? []
    byFeed.set(feed.id, recordings)
    const recordedAt = seconds === undefined ? undefined : Number(seconds)
    recordings.push({ file: path.join(dir, file), recordedAt })
  }
  if (byFeed.size === 0)
    throw new ConfigError(
      `Replay folder ${dir}: expected <unix seconds>.<tag>.pb or NAME.pb of a known feed, found ${ignored.length} other *.pb.`,
    )
  for (const recordings of byFeed.values()) {
    const order = ({ recordedAt }: Recording): number => recordedAt ?? Number.MAX_SAFE_INTEGER
    recordings.sort((a, b) => order(a) - order(b) || (a.file < b.file ? -1 : 1))
  }
  return { byFeed, ignored }
}

/**
 * Every recorded body once and in order, however slowly or quickly a client asks: the next one becomes
 * current when the one before was sent to a client and the time between their recordings, divided by the
 * speed, has passed. The last one stays.
 */
export class Replay implements BodySource {
  readonly #sequences = new Map<string, Sequence>()
  readonly #clock: Pick<FeedClock, 'now'>

  /** Reads the folder's names, not yet the bodies. Throws ConfigError as `findRecordings` does. */
  constructor(options: ReplayOptions) {
    this.#clock = options.clock
    const { byFeed, ignored } = findRecordings(options.dir, options.map)
    warnIgnored(options.log, ignored)
    for (const [id, recordings] of byFeed) {
      this.#sequences.set(id, {
        recordings,
        position: 0,
        since: this.#clock.now(),
        wasServed: false,
        loading: undefined,
        body: undefined,
        servedBodies: 0,
        responses: 0,
      })
    }
  }

  async body(feed: SimulatedFeed): Promise<FeedBody | undefined> {
    const sequence = this.#sequences.get(feed.id)
    if (sequence === undefined) return undefined
    this.#advance(sequence)
    sequence.loading ??= load(sequence)
    try {
      return await sequence.loading
    } catch (error) {
      sequence.loading = undefined
      throw error
    }
  }

  served(feed: SimulatedFeed, body: FeedBody): void {
    const sequence = this.#sequences.get(feed.id)
    if (sequence === undefined) return
    sequence.responses++
    // A slow response may end when its body is no longer the current one; that one counted before.
    if (sequence.body !== body || sequence.wasServed) return
    sequence.wasServed = true
    sequence.servedBodies++
  }

  status(): { kind: string; done: boolean; feeds: Record<string, object> } {
    const feeds = [...this.#sequences].map(([id, s]) => ({
      id,
      bodies: s.recordings.length,
      served: s.servedBodies,
      responses: s.responses,
      done: s.servedBodies === s.recordings.length,
    }))
    return {
      kind: 'replay',
      done: feeds.every(({ done }) => done),
      feeds: Object.fromEntries(feeds.map(({ id, ...rest }) => [id, rest])),
    }
  }

  #advance(sequence: Sequence): void {
    const here = sequence.recordings[sequence.position]
    const next = sequence.recordings[sequence.position + 1]
    if (!sequence.wasServed || next === undefined) return
    const spacingS =
      here?.recordedAt === undefined || next.recordedAt === undefined
        ? 0
        : next.recordedAt - here.recordedAt
    const now = this.#clock.now()
    if (now - sequence.since < spacingS - CLOCK_ERROR_S) return
    sequence.position++
    sequence.since = now
    sequence.wasServed = false
    sequence.loading = undefined
    sequence.body = undefined
  }
}

/** Says which files are not played, if any. */
export function warnIgnored(log: PluginLogger, ignored: readonly string[]): void {
  if (ignored.length === 0) return
  log.warn(
    { files: ignored.slice(0, 20), count: ignored.length },
    'Some files in the replay folder belong to no feed and are not played.',
  )
}

async function load(sequence: Sequence): Promise<FeedBody> {
  const { position } = sequence
  const recording = sequence.recordings[position]
  if (recording === undefined) throw new RangeError(`A sequence has no recording ${position}.`)
  const bytes = await readFile(recording.file)
  // Two recordings may hold the same bytes and are still served one after the other: their tags differ.
  const body = { bytes, etag: etagOf(bytes, `-${position}`), lastModified: undefined }
  if (sequence.position === position) sequence.body = body
  return body
}

function listBodies(dir: string): string[] {
  let names: string[]
  try {
    names = readdirSync(dir).filter((name) => /\.(pb|json)$/.test(name))
  } catch (cause) {
    throw new ConfigError(`Replay folder ${dir}: it cannot be read.`, { cause })
  }
  if (names.length > RECORDINGS_MAX)
    throw new ConfigError(
      `Replay folder ${dir}: expected at most ${RECORDINGS_MAX} bodies, got ${names.length}.`,
    )
  for (const name of names) {
    const { size } = statSync(path.join(dir, name))
    if (size > BODY_BYTES_MAX)
      throw new ConfigError(
        `Replay body ${name}: expected at most ${BODY_BYTES_MAX} bytes, got ${size}.`,
      )
  }
  return names
}
