// Requests to the REST API as no client should send them: random and mutated methods, paths, headers and bodies.

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | undefined
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']
const NAMES = ['fuzz-1', 'fuzz-2', 'fuzz-3', 'nosuch', 'a%2Fb', 'a%20b', '%C3%A9', '..', '%00', '%']
const ACTIONS = [
  '',
  '/config',
  '/status',
  '/tasks',
  '/tasks/0/status',
  '/tasks/0/restart',
  '/tasks/-1/restart',
  '/tasks/99999999999/restart',
  '/pause',
  '/resume',
  '/stop',
  '/restart',
  '/topics',
  '/topics/reset',
  '/offsets',
  '/fence',
  '/tasks-config',
]
const USUAL: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/connectors\/?(\?|$)/, ['POST', 'POST', 'GET']],
  [/\/(config\/validate|pause|resume|stop|topics\/reset|loggers\/)/, ['PUT']],
  [/^\/connectors\/.*\/config/, ['PUT', 'PATCH', 'GET']],
  [/\/restart/, ['POST']],
  [/\/offsets/, ['PATCH', 'DELETE', 'GET']],
  [/^\/connectors\/[^/?]+\/?(\?|$)/, ['GET', 'DELETE']],
]
const OTHERS = [
  '/connectors',
  '/connectors',
  '/connectors',
  '/',
  '/health',
  '/metrics',
  '/connectors',
  '/connector-plugins',
  '/connector-plugins/FileStreamSource/config',
  '/connector-plugins/FileStreamSource/config/validate',
  '/connector-plugins/FileStreamSink/config/validate',
  '/connector-plugins/nosuch/config',
  '/admin/loggers',
  '/admin/loggers/root',
  '/admin/loggers/fuzz.logger',
  '/nosuch',
]
const QUERIES = [
  '',
  '',
  '?expand=status',
  '?expand=info&expand=status',
  '?includeTasks=true',
  '?onlyFailed=TRUE&includeTasks=x',
  '?connectorsOnly=false',
  '?version=%5B1',
  '?scope=cluster',
  '?=&&==%zz#x',
]
const TYPES = [
  'application/json',
  'application/json',
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'garbage',
  '',
]
const CLASSES = [
  'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'FileStreamSource',
  'org.apache.kafka.connect.file.FileStreamSinkConnector',
  'FileStreamSink',
  'org.apache.kafka.connect.tools.MockSourceConnector',
  'com.example.Nope',
  '',
]
const KEYS = [
  'name',
  'tasks.max',
  'topic',
  'topics',
  'topics.regex',
  'file',
  'transforms',
  'transforms.a.type',
  'transforms.a.predicate',
  'transforms.a.negate',
  'predicates',
  'predicates.p.type',
  'key.converter',
  'value.converter',
  'value.converter.schemas.enable',
  'header.converter',
  'connector.plugin.version',
  'errors.tolerance',
  'errors.retry.timeout',
  'errors.deadletterqueue.topic.name',
  'producer.override.linger.ms',
  'consumer.override.group.id',
  'admin.override.retries',
  'topic.creation.groups',
  'topic.creation.default.partitions',
  'exactly.once.support',
  'transaction.boundary',
  '__proto__',
  'constructor',
  'toString',
  '',
]
const VALUES: readonly unknown[] = [
  '1',
  't',
  'a',
  'a,b',
  'a,a,,',
  '',
  ' ',
  '(',
  '${env:HOME}',
  '${nope:a:b}',
  'org.apache.kafka.connect.transforms.HoistField$Value',
  'org.apache.kafka.connect.transforms.Filter',
  'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
  'JsonConverter',
  '-1',
  '99999999999999999999',
  'NaN',
  '\u0000\u001b[31m',
  '\ud800',
  'x'.repeat(5_000),
  0,
  -1.5,
  1e308,
  true,
  null,
  {},
  [],
  { a: [{ b: null }] },
]

/** Makes one request after the other; the same seed makes the same ones. */
export class RequestMaker {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  next(): FuzzRequest {
    const path = this.#path()
    const body = this.#chance(0.65) ? this.#body(path) : undefined
    return { method: this.#method(path), path, headers: this.#headers(), body }
  }

  #method(path: string): string {
    // Mostly one that the path knows, so that more than the router is tried.
    const [, usual] = USUAL.find(([pattern]) => pattern.test(path)) ?? []
    if (usual !== undefined && this.#chance(0.65)) return this.#one(usual)
    return this.#chance(0.9)
      ? this.#one(METHODS)
      : this.#one(['get', 'FOO', 'G\u00e9T', 'GET\tX', '', 'M'.repeat(300)])
  }

  #path(): string {
    const base = this.#chance(0.6)
      ? `/connectors/${this.#one(NAMES)}${this.#one(ACTIONS)}`
      : this.#one(OTHERS)
    const path = base + (this.#chance(0.15) ? '/' : '') + this.#one(QUERIES)
    return this.#chance(0.1) ? this.#mutated(path) : path
  }

  #headers(): [string, string][] {
    const headers: [string, string][] = []
    const type = this.#one(TYPES)
    if (type !== '') headers.push(['Content-Type', type])
    if (this.#chance(0.1)) {
      headers.push(['Accept', this.#one(['text/plain', '*/*', ';;;', 'application/json;q=0'])])
    }
    if (this.#chance(0.05)) headers.push(['Content-Encoding', this.#one(['gzip', 'br', 'nope'])])
    if (this.#chance(0.05)) headers.push(['Origin', this.#one(['http://evil.example', 'null', ''])])
    if (this.#chance(0.05)) headers.push(['Authorization', this.#mutated('Basic dXNlcjpzZWNyZXQ=')])
    if (this.#chance(0.02)) headers.push(['X-Fuzz', 'y'.repeat(20_000)])
    if (this.#chance(0.02)) headers.push(['Expect', '100-continue'])
    return headers
  }

  #body(path: string): Buffer {
    const json = JSON.stringify(this.#json(path))
    if (this.#chance(0.75)) return Buffer.from(json)
    if (this.#chance(0.5)) return Buffer.from(this.#mutated(json))
    return Buffer.from(
      this.#one(['', 'null', '[]', '"x"', '{', '[[[['.repeat(5_000), '\ufeff{}', '{"a":1}{"b":2}']),
    )
  }

  #json(path: string): unknown {
    if (path.includes('/offsets')) {
      const offset = this.#chance(0.5)
        ? { position: this.#one(VALUES) }
        : { kafka_offset: this.#one(VALUES) }
      const partition = this.#chance(0.5)
        ? { filename: this.#one(VALUES) }
        : { kafka_topic: this.#one(['t', ...VALUES]), kafka_partition: this.#one([0, ...VALUES]) }
      return { offsets: this.#chance(0.8) ? [{ partition, offset }] : this.#one(VALUES) }
    }
    if (path.includes('loggers')) return { level: this.#one(['INFO', 'debug', ...VALUES]) }
    const config = this.#config()
    if (path.startsWith('/connectors/') || path.includes('/validate')) return config
    return {
      name: this.#chance(0.8) ? this.#one(['fuzz-1', 'fuzz-2', 'fuzz-3']) : this.#one(VALUES),
      config: this.#chance(0.9) ? config : this.#one(VALUES),
      ...(this.#chance(0.3) && { initial_state: this.#one(['STOPPED', 'paused', ...VALUES]) }),
    }
  }

  #config(): unknown {
    const entries: [string, unknown][] = [
      ['connector.class', this.#chance(0.7) ? this.#one(CLASSES.slice(0, 4)) : this.#one(CLASSES)],
      ['topic', 't'],
      ['file', 'in.txt'],
    ]
    if (this.#chance(0.4)) entries.push(['topics', 't'])
    const more = this.#chance(0.4) ? 0 : Math.floor(this.#random() * 4)
    for (let i = 0; i < more; i++) entries.push([this.#one(KEYS), this.#one(VALUES)])
    return Object.fromEntries(entries)
  }

  /** A few characters replaced, taken away or doubled. */
  #mutated(text: string): string {
    const chars = text.split('')
    const changes = 1 + Math.floor(this.#random() * 3)
    for (let i = 0; i < changes; i++) {
      const at = Math.floor(this.#random() * chars.length)
      const kind = this.#random()
      if (kind < 0.4) chars[at] = String.fromCodePoint(Math.floor(this.#random() * 0x250))
      else if (kind < 0.7) chars.splice(at, 1)
      else chars.splice(at, 0, ...chars.slice(at, at + 8))
    }
    // A line end would make two requests of one.
    return chars.join('').replaceAll(/[\r\n]/g, '')
  }

  #chance(part: number): boolean {
    return this.#random() < part
  }

  #one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T
  }
}
