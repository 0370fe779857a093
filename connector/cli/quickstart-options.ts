import path from 'node:path'
import { parseArgs } from 'node:util'

export type FeedsMode =
  | { readonly kind: 'auto' | 'live' | 'simulated' }
  | {
      readonly kind: 'replay'
      readonly dir: string
      readonly map: Readonly<Record<string, string>>
    }

export interface QuickstartOptions {
  readonly feeds: FeedsMode
  /** Times real time; simulated and replayed feeds only. */
  readonly speed: number
  readonly seed: number
  readonly dataDir: string
  /** Of the worker: REST and UI. */
  readonly port: number
  /** Undefined: the embedded broker. */
  readonly bootstrapServers: string | undefined
  /** Undefined: the embedded registry. */
  readonly schemaRegistryUrl: string | undefined
  /** A sink configuration (properties); undefined: the embedded Snowflake endpoint. */
  readonly snowflake: string | undefined
}

export const USAGE = `Usage: npm start -- [options]

Starts the whole pipeline: feeds, the source connector, Kafka, the Snowflake sink connector, Iceberg tables
and the page that shows it all. Whatever you do not name runs embedded, on this machine, without any account.

  --feeds auto|live|simulated|replay:DIR
                             where the trains and buses come from (default: auto, which asks MTA's live feeds for
                             3 s and falls back to the simulator). replay:DIR plays recorded bodies once each:
                             <unix seconds>.<tag>.pb, tags ace bdfm g jz nqrw l si 1234567s lirr mnr bus
  --replay-map TAG=FEED      which feed a recording belongs to when its name does not say so; may be repeated
  --speed N                  times real time, for simulated and replayed feeds (default: 1; 1 to 120)
  --seed N                   of the simulated city (default: 1)
  --data-dir DIR             what is kept: Iceberg warehouse, schemas, logs, stack.json (default: data)
  --port N                   of the page and the Connect REST API (default: 8083)
  --bootstrap-servers LIST   a Kafka of yours instead of the embedded broker
  --schema-registry-url URL  a Schema Registry of yours instead of the embedded one
  --snowflake FILE           a sink configuration (properties) with your Snowflake account instead of the embedded endpoint
  --help                     this text
`

/** What is wrong with the command line, all of it, one line each. */
export class UsageError extends Error {}

/** Reads the command line; `help` when it asks for the usage. Throws `UsageError`. */
export function parseOptions(args: readonly string[]): QuickstartOptions | 'help' {
  const problems: string[] = []
  const values = parse(args)
  if (values.help === true) return 'help'
  const feeds = feedsMode(values.feeds ?? 'auto', values['replay-map'] ?? [], problems)
  const number = (
    name: 'speed' | 'seed' | 'port',
    range: readonly [number, number],
    or: number,
  ) => {
    const text = values[name]
    if (text === undefined) return or
    const n = Number(text)
    const whole = name === 'speed' || Number.isInteger(n)
    if (text.trim() === '' || !whole || !(n >= range[0] && n <= range[1])) {
      problems.push(
        `--${name} ${text}: expected a ${name === 'speed' ? '' : 'whole '}number from ${range[0]} to ${range[1]}`,
      )
    }
    return n
  }
  const url = values['schema-registry-url']
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url)) {
    problems.push(`--schema-registry-url ${url}: expected http://HOST:PORT or https://HOST:PORT`)
  }
  const servers = values['bootstrap-servers']
  if (
    servers !== undefined &&
    !servers.split(',').every((server) => /^[^\s:/]+:\d+$|^\[[^\]]+\]:\d+$/.test(server.trim()))
  ) {
    problems.push(`--bootstrap-servers ${servers}: expected HOST:PORT[,HOST:PORT…]`)
  }
  const options: QuickstartOptions = {
    feeds,
    speed: number('speed', [1, 120], 1),
    seed: number('seed', [0, 2 ** 31 - 1], 1),
    dataDir: path.resolve(values['data-dir'] ?? 'data'),
    port: number('port', [1, 65_535], 8083),
    bootstrapServers: servers,
    schemaRegistryUrl: url?.replace(/\/+$/, ''),
    snowflake: values.snowflake === undefined ? undefined : path.resolve(values.snowflake),
  }
  if (options.feeds.kind === 'live' && options.speed !== 1) {
    problems.push(
      `--speed ${options.speed}: live feeds have the speed of life; it is for simulated and replayed ones`,
    )
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return options
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        feeds: { type: 'string' },
        'replay-map': { type: 'string', multiple: true },
        speed: { type: 'string' },
        seed: { type: 'string' },
        'data-dir': { type: 'string' },
        port: { type: 'string' },
        'bootstrap-servers': { type: 'string' },
        'schema-registry-url': { type: 'string' },
        snowflake: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function feedsMode(text: string, pairs: readonly string[], problems: string[]): FeedsMode {
  const map: Record<string, string> = {}
  for (const pair of pairs) {
    const [tag = '', feed = '', ...rest] = pair.split('=')
    if (tag === '' || feed === '' || rest.length > 0) {
      problems.push(`--replay-map ${pair}: expected TAG=FEED, e.g. ace=mta-subway-ace`)
    } else map[tag] = feed
  }
  if (text === 'auto' || text === 'live' || text === 'simulated') {
    if (pairs.length > 0) problems.push('--replay-map needs --feeds replay:DIR')
    return { kind: text }
  }
  const dir = /^replay:(.+)$/.exec(text)?.[1]
  if (dir === undefined) {
    problems.push(`--feeds ${text}: expected auto, live, simulated or replay:DIR`)
    return { kind: 'auto' }
  }
  return { kind: 'replay', dir: path.resolve(dir), map }
}
