// Spoilt bodies of every feed between good ones. Rules: nothing is thrown, no body takes a second, memory stays bounded,
// whatever is emitted can be written as Avro, nothing that the feed still has is reported gone, and after the next good
// polls whoever reads the topics knows exactly what the feed says.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import type { AvroConverter } from '../../connector/converters/avro.ts'
import { parseConfig } from '../../source-mta/config.ts'
import type { FeedReader, FeedRecord, Reading } from '../../source-mta/feed-reader.ts'
import { KNOWN_FEED_IDS } from '../../source-mta/feeds.ts'
import { isGood } from '../../source-mta/outcome.ts'
import { newReader } from '../../source-mta/readers.ts'
import { newAvroConverter } from '../support/lossless.ts'
import { startTestRegistry } from '../support/registry.ts'
import { type Random, seeded } from '../support/seeded-random.ts'
import { type Specimen, specimens, stamped } from './feeds-corpus.ts'
import { spoilt } from './feeds-mutations.ts'
import type { FuzzResult, FuzzRun } from './run.ts'

const POLL_MS = 15_000
const BODY_LIMIT_MS = 1_000
const HANG_LIMIT_MS = 30_000
/** So many good polls until all is as it was: an older header, or fewer entities, are believed the third time. */
const RECOVERY_POLLS = 3
/** A reader is given up after so many mutants, so that a case can be repeated by itself. */
const MUTANTS_PER_READER = 50
const MEMORY_LIMIT_MB = 96
const WARM_UP_CASES = 2_000
const SAY_EVERY = 10_000

const CONFIG = parseConfig({
  feeds: [...KNOWN_FEED_IDS, 'elsewhere'].join(','),
  'feed.elsewhere.url': 'http://127.0.0.1/',
  'mta.bus.api.key': 'fuzz',
  'trip.update.mode': 'both',
  'latest.topic.enabled': 'true',
  'quality.duplicate.window.ms': '0',
})

interface Figures {
  mutants: number
  outcomes: Map<string, number>
  rejected: number
  unreadable: number
  records: number
  slowestMs: number
  slowestHow: string
}

/** One feed between its good bodies: the reader, and what a consumer of its topics knows. */
class Subject {
  readonly specimen: Specimen
  readonly #reader: FeedReader
  readonly #converter: AvroConverter
  /** Topic and key → what was last told of it. */
  readonly view = new Map<string, string>()
  #atMs: number
  #polls = 0
  /** Of these the feed says that they are there. */
  #there: ReadonlySet<string> = new Set()

  constructor(specimen: Specimen, converter: AvroConverter) {
    this.specimen = specimen
    this.#converter = converter
    this.#reader = readerOf(specimen)
    this.#atMs = specimen.atMs
  }

  /** Polls good bodies until one is believed; what is not as it should be afterwards, undefined when all is well. */
  async recover(): Promise<string | undefined> {
    let outcome = ''
    for (let poll = 0; poll < RECOVERY_POLLS; poll++) {
      this.#polls++
      const body = this.next
      const { reading, wrong } = await this.#take(body)
      if (wrong !== undefined) return `the good body: ${wrong}`
      ;({ outcome } = reading)
      if (!isGood(reading.outcome)) continue
      const expected = this.#expected(body)
      this.#there = new Set(expected.keys())
      const missing = [...expected].find(([key, content]) => this.view.get(key) !== content)
      if (missing === undefined) return undefined
      return `after a good body ${missing[0]} is known as ${this.view.get(missing[0])}, not as ${missing[1]}`
    }
    return `${RECOVERY_POLLS} good bodies are all ${outcome}`
  }

  /** What is wrong with the reading of a spoilt body. */
  async spoil(bytes: Uint8Array, how: string, figures: Figures): Promise<string | undefined> {
    const beganMs = performance.now()
    const { reading, wrong } = await this.#take(bytes)
    const tookMs = performance.now() - beganMs
    figures.mutants++
    figures.outcomes.set(reading.outcome, (figures.outcomes.get(reading.outcome) ?? 0) + 1)
    figures.rejected += reading.rejected.length
    figures.unreadable += reading.badEntities
    figures.records += reading.records.length
    if (tookMs > figures.slowestMs) {
      figures.slowestMs = tookMs
      figures.slowestHow = `${this.specimen.name}: ${how}`
    }
    if (tookMs > BODY_LIMIT_MS) return `took ${tookMs.toFixed(0)} ms`
    if (!isGood(reading.outcome) && reading.records.length > 0)
      return `${reading.outcome}, and yet ${reading.records.length} records`
    return wrong
  }

  /** What the feed says at its next poll. */
  get next(): Uint8Array {
    const { bodies, isJson } = this.specimen
    const timeS = Math.floor((this.#atMs + POLL_MS) / 1_000)
    return stamped(bodies[this.#turn], timeS, isJson)
  }

  /** The two bodies take turns. */
  get #turn(): 0 | 1 {
    return this.#polls % 2 === 0 ? 0 : 1
  }

  /** What somebody knows who begins with the last good body; its time is no part of it. */
  #expected(body: Uint8Array): ReadonlyMap<string, string | undefined> {
    const { [this.#turn]: which } = this.specimen.bodies
    const known = VIEWS.get(which) ?? viewOf(this.specimen, body, this.#atMs)
    VIEWS.set(which, known)
    return known
  }

  async #take(
    bytes: Uint8Array,
  ): Promise<{ readonly reading: Reading; readonly wrong: string | undefined }> {
    this.#atMs += POLL_MS
    const reading = this.#reader.accept(fetched(bytes, this.#atMs))
    const wrongs: string[] = []
    let gone = 0
    for (const record of reading.records) {
      const { topic, key, valueSchema, value } = record
      // oxlint-disable-next-line no-await-in-loop -- asks the registry once a schema
      await this.#converter.fromConnectData(topic, [], valueSchema, value)
      const place = placeOf(record)
      const content = contentOf(record)
      if (content === undefined) this.view.delete(place)
      else this.view.set(place, content)
      if (content === undefined && this.#there.has(place) && ++gone === 1) wrongs.push(key)
    }
    return { reading, wrong: this.#floodOf(gone, wrongs) }
  }

  /** A list of equipment without a row says that the row is over; half of a list never is. */
  #floodOf(gone: number, [first]: readonly string[]): string | undefined {
    const isList = this.specimen.feedId.startsWith('mta-ene')
    const most = isList ? this.#there.size / 2 : 0
    return gone > most ? `${gone} reported gone, as ${first}` : undefined
  }
}

const VIEWS = new WeakMap<Uint8Array, ReadonlyMap<string, string | undefined>>()

function readerOf({ feedId }: Specimen): FeedReader {
  const feed = CONFIG.feeds.find(({ id }) => id === feedId)
  if (feed === undefined) throw new Error(`There is no feed ${feedId}.`)
  return newReader(feed, CONFIG)
}

const fetched = (bytes: Uint8Array, fetchedAtMs: number) => ({
  bytes,
  fetchedAtMs,
  etag: null,
  lastModified: null,
})

const fieldsOf = ({ value }: FeedRecord): Readonly<Record<string, unknown>> =>
  (value ?? {}) as Readonly<Record<string, unknown>>

const placeOf = (record: FeedRecord): string =>
  `${record.topic} ${record.key} ${JSON.stringify(fieldsOf(record)['ordinal'] ?? null)}`

/** Tells apart what was said; undefined: that it is gone. */
function contentOf(record: FeedRecord): string | undefined {
  const { event_type: type, content_hash: hash, UUID } = fieldsOf(record)
  return record.value === null || type === 'VANISHED' ? undefined : String(hash ?? UUID)
}

/** What somebody knows who begins with this body. */
function viewOf(
  specimen: Specimen,
  body: Uint8Array,
  atMs: number,
): ReadonlyMap<string, string | undefined> {
  const { records } = readerOf(specimen).accept(fetched(body, atMs))
  // An observation that is older than one before is no news for the compacted topic.
  const told = records.filter(({ topic }) => !topic.includes('.latest.'))
  return new Map(told.map((record) => [placeOf(record), contentOf(record)]))
}

export async function fuzzFeeds({ cases, seed, say }: FuzzRun): Promise<FuzzResult> {
  const random = seeded(seed)
  const corpus = specimens(seed)
  const registry = await startTestRegistry()
  const converter = newAvroConverter(registry)
  const watch = watchForHangs()
  const figures: Figures = {
    mutants: 0,
    outcomes: new Map(),
    rejected: 0,
    unreadable: 0,
    records: 0,
    slowestMs: 0,
    slowestHow: '',
  }
  let violations = 0
  let baseMb = 0
  try {
    for (let index = 0; index < cases; ) {
      const specimen = random.pick(corpus)
      const subject = new Subject(specimen, converter)
      const count = Math.min(MUTANTS_PER_READER, cases - index)
      // oxlint-disable-next-line no-await-in-loop -- mutants of one feed come one after the other
      violations += await tryMutants(subject, { count, corpus, random, figures, watch, say })
      if (index < WARM_UP_CASES && index + count >= WARM_UP_CASES) baseMb = heapMb()
      if (Math.floor(index / SAY_EVERY) < Math.floor((index + count) / SAY_EVERY))
        say(`${index + count} cases, ${violations} violations, ${heapMb().toFixed(0)} MB`)
      index += count
    }
    const grownMb = baseMb === 0 ? 0 : heapMb() - baseMb
    if (grownMb > MEMORY_LIMIT_MB) {
      violations++
      say(`violation: the heap has grown by ${grownMb.toFixed(0)} MB`)
    }
    const outcomes = [...figures.outcomes].map(([name, count]) => `${name} ${count}`).join(', ')
    say(`outcomes of the mutants: ${outcomes}`)
    say(
      `slowest body: ${figures.slowestMs.toFixed(0)} ms (${figures.slowestHow}); heap grown by ${grownMb.toFixed(0)} MB`,
    )
    const { mutants, records, rejected, unreadable } = figures
    return {
      summary: `fuzz: feeds: ${mutants} mutants of ${corpus.length} feeds, ${records} records of them, ${rejected} entities rejected, ${unreadable} unreadable, slowest ${figures.slowestMs.toFixed(0)} ms, ${violations} violations`,
      violations,
    }
  } finally {
    await watch.close()
    converter.close()
    await registry.remove()
  }
}

interface Trial {
  readonly count: number
  readonly corpus: readonly Specimen[]
  readonly random: Random
  readonly figures: Figures
  readonly watch: HangWatch
  readonly say: (text: string) => void
}

async function tryMutants(
  subject: Subject,
  { count, corpus, random, figures, watch, say }: Trial,
): Promise<number> {
  const { name, isJson } = subject.specimen
  let violations = 0
  const broken = (what: string | undefined, how: string, bytes: Uint8Array): void => {
    if (what === undefined) return
    violations++
    const hex = Buffer.from(bytes).toString('base64').slice(0, 4_000)
    say(`violation: ${name}: ${how}: ${what}\n  ${hex}`)
  }
  broken(await subject.recover(), 'nothing yet', new Uint8Array())
  for (let n = 0; n < count; n++) {
    watch.alive()
    const other = random.pick(random.pick(corpus).bodies)
    const { bytes, how } = spoilt(subject.next, random, { isJson, other })
    try {
      // oxlint-disable no-await-in-loop -- one poll after the other
      broken(await subject.spoil(bytes, how, figures), how, bytes)
      broken(await subject.recover(), `after ${how}`, bytes)
      // oxlint-enable no-await-in-loop
    } catch (error) {
      broken(`threw ${error instanceof Error ? error.stack : String(error)}`, how, bytes)
    }
  }
  return violations
}

interface HangWatch {
  alive(): void
  close(): Promise<void>
}

/** A body that is never done cannot be told of by the thread that reads it: another one ends the run with 1. */
function watchForHangs(): HangWatch {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const code = `const { workerData } = require('node:worker_threads')
    let seen = -1
    setInterval(() => {
      if (workerData[0] === seen) {
        require('node:fs').writeSync(2, 'violation: case ' + seen + ' hangs\\n')
        process.kill(process.pid, 'SIGKILL')
      }
      seen = workerData[0]
    }, ${HANG_LIMIT_MS})`
  const worker = new Worker(code, { eval: true, workerData: beats })
  return {
    alive: () => void Atomics.add(beats, 0, 1),
    close: async () => {
      await worker.terminate()
    },
  }
}

/** What is still held after all garbage is gone. */
function heapMb(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed / 1_048_576
}
