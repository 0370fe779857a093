import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { FEEDS } from '../../source-mta/simulator/feed-catalog.ts'
import { findRecordings } from '../../source-mta/simulator/replay.ts'
import { startFeedServer } from '../../source-mta/simulator/server.ts'
import { probeLiveFeeds } from '../../source-mta/simulator/probe.ts'
import type { Clock } from '../api/clock.ts'
import { freePort } from '../local/ports.ts'
import { startLocalRegistry } from '../local/registry/server.ts'
import { RollingLog } from '../local/rolling-log.ts'
import { SupervisedChild } from '../local/supervised-child.ts'
import { parseProperties } from '../runtime/properties.ts'
import { createLogger } from '../runtime/logging.ts'
import {
  type Addresses,
  type ConfigPlan,
  DATABASE,
  ensureKeyPair,
  type FeedsKind,
  keyFiles,
  LOCAL_USER,
  offsetsFile,
  readConfiguration,
  SCHEMAS,
  SINK_CONNECTOR,
  SOURCE_CONNECTOR,
  TABLE,
  TOPICS,
  VEHICLE_TOPIC,
  writeConfiguration,
} from './quickstart-config.ts'
import type { QuickstartOptions } from './quickstart-options.ts'
import { drain } from './quickstart-drain.ts'

const HOST = '127.0.0.1'
const PREFERRED_PORTS = {
  registry: 8081,
  broker: 9092,
  snowflake: 8085,
  snowflakeAdmin: 8086,
  feeds: 8087,
}
const PROBE_MS = 3_000
const BUS_KEY = 'MTA_BUS_API_KEY'
interface StackOptions {
  readonly options: QuickstartOptions
  readonly clock: Clock
  readonly say: (text: string) => void
}

/** All parts of the quickstart, started and stopped in order. */
export class Stack {
  readonly #options: QuickstartOptions
  readonly #clock: Clock
  readonly #say: (text: string) => void
  readonly #children: SupervisedChild[] = []
  readonly #servers: { close(): Promise<void> }[] = []
  readonly #logs: string
  #changed: () => void = () => undefined
  #kind: FeedsKind = 'simulated'
  #addresses: Addresses | undefined

  constructor({ options, clock, say }: StackOptions) {
    this.#options = options
    this.#clock = clock
    this.#say = say
    this.#logs = path.join(options.dataDir, 'logs')
  }

  /** Called whenever a process of the stack was started again. */
  onChange(listener: () => void): void {
    this.#changed = listener
  }

  /** Starts everything; rejects with a message for people when a part does not start. */
  async start(): Promise<void> {
    const { dataDir, snowflake } = this.#options
    mkdirSync(this.#logs, { recursive: true })
    // Read before anything starts, so that a wrong path costs no time.
    const sinkProperties =
      snowflake === undefined ? undefined : parseProperties(readConfiguration(snowflake))
    this.#kind = await this.#chooseFeeds()
    const [registry, feeds, broker, endpoint] = await Promise.all([
      this.#registry(),
      this.#feeds(),
      this.#broker(),
      snowflake === undefined ? this.#snowflake() : undefined,
    ])
    this.#addresses = {
      port: this.#options.port,
      bootstrapServers: broker,
      schemaRegistry: registry,
      feeds,
      snowflake: endpoint,
    }
    const isBrokerEmbedded = this.#options.bootstrapServers === undefined
    // A fresh broker holds nothing of what these offsets say was sent.
    if (isBrokerEmbedded) rmSync(offsetsFile(dataDir), { force: true })
    const files = writeConfiguration(
      {
        dataDir,
        kind: this.#kind,
        isFallback: this.#isFallback(),
        speed: this.#options.speed,
        isBrokerEmbedded,
        sinkProperties,
        partitions: TOPICS[VEHICLE_TOPIC] ?? 1,
        ...this.#feedChoice(),
      },
      this.#addresses,
    )
    await this.#child('worker', 'connect-standalone.js', files).start()
  }

  /** Stops sources, waits at most `drainMs` for what is on its way, then ends every part. */
  async stop(drainMs: number): Promise<void> {
    const worker = this.#children.find((child) => child.name === 'worker')
    if (
      worker?.pid !== undefined &&
      drainMs > 0 &&
      this.#addresses !== undefined &&
      this.#options.bootstrapServers === undefined
    ) {
      const left = await drain({
        url: `http://${HOST}:${this.#options.port}`,
        source: SOURCE_CONNECTOR,
        sink: SINK_CONNECTOR,
        bootstrapServers: this.#addresses.bootstrapServers,
        topic: VEHICLE_TOPIC,
        partitions: TOPICS[VEHICLE_TOPIC] ?? 1,
        limitMs: drainMs,
        clock: this.#clock,
      })
      if (left !== undefined) this.#say(left)
    }
    await worker?.stop()
    await Promise.all(
      this.#children.filter((child) => child !== worker).map((child) => child.stop()),
    )
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  /** Ends every process at once. */
  kill(): void {
    for (const child of this.#children) {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
    }
  }

  /** What `stack.json` holds. */
  describe(): Readonly<Record<string, unknown>> {
    const pids = Object.fromEntries(this.#children.map((child) => [child.name, child.pid]))
    return {
      ui: `${this.#worker()}/ui/`,
      worker: this.#worker(),
      bootstrapServers: this.#addresses?.bootstrapServers,
      schemaRegistry: this.#addresses?.schemaRegistry,
      snowflake: this.#addresses?.snowflake ?? null,
      feeds: this.#addresses?.feeds ?? 'live',
      warehouse: this.#addresses?.snowflake === undefined ? null : this.#warehouse(),
      pids: { supervisor: process.pid, ...pids },
    }
  }

  /** Where everything is, one line each. */
  summary(): readonly string[] {
    const { bootstrapServers = '', schemaRegistry = '', snowflake, feeds } = this.#addresses ?? {}
    const lines = [
      '',
      `Map and status  ${this.#worker()}/ui/`,
      `Connect REST    ${this.#worker()}/connectors`,
      `Kafka           ${bootstrapServers}${embedded(this.#options.bootstrapServers)}`,
      `Schema Registry ${schemaRegistry}${embedded(this.#options.schemaRegistryUrl)}`,
      `Feeds           ${feeds ?? "MTA's live feeds"} (${this.#kind}${this.#options.speed === 1 ? '' : `, ${this.#options.speed} times real time`})`,
      `Snowflake       ${snowflake === undefined ? `as ${this.#options.snowflake} says` : `${snowflake} (embedded)`}`,
      `Logs            ${this.#logs}`,
    ]
    if (snowflake !== undefined) {
      const table = path.join(this.#warehouse(), DATABASE, SCHEMAS[this.#kind], TABLE)
      lines.push(
        `Iceberg table   ${table}`,
        '',
        'Query it, here or with DuckDB (a minute from now there are some thousand rows):',
        `  npm run sql -- --data-dir '${this.#options.dataDir}' -c "SELECT ROUTE_ID, COUNT(*) AS N FROM ${TABLE} GROUP BY 1 ORDER BY 2 DESC LIMIT 10"`,
        `  duckdb -c "INSTALL iceberg; LOAD iceberg; SELECT ROUTE_ID, count(*) FROM iceberg_scan('${table}', allow_moved_paths => true) GROUP BY 1 ORDER BY 2 DESC LIMIT 10"`,
      )
    }
    return [...lines, '', 'Ctrl-C stops everything.']
  }

  #worker(): string {
    return `http://${HOST}:${this.#options.port}`
  }

  #warehouse(): string {
    return path.join(this.#options.dataDir, 'warehouse')
  }

  async #chooseFeeds(): Promise<FeedsKind> {
    const { feeds } = this.#options
    if (feeds.kind === 'replay') return 'replay'
    if (feeds.kind !== 'auto') return feeds.kind
    this.#say(`Asking MTA's live feeds (at most ${PROBE_MS / 1000} s) …`)
    const answer = await probeLiveFeeds({ timeoutMs: PROBE_MS })
    if (answer.isLive) {
      this.#say("MTA's live feeds answer: the map shows the real trains.")
      return 'live'
    }
    this.#say(`MTA's live feeds do not answer (${answer.reason}): the map shows a simulated city.`)
    if (this.#options.snowflake !== undefined) {
      this.#say(
        `Its rows go to the schema ${SCHEMAS.simulated}, whatever ${this.#options.snowflake} says.`,
      )
    }
    return 'simulated'
  }

  #isFallback(): boolean {
    return this.#options.feeds.kind === 'auto' && this.#kind === 'simulated'
  }

  #feedChoice(): Pick<ConfigPlan, 'feedIds' | 'busApiKey'> {
    const { feeds } = this.#options
    if (feeds.kind === 'replay') {
      const { byFeed } = findRecordings(feeds.dir, feeds.map)
      return { feedIds: [...byFeed.keys()].join(','), busApiKey: 'simulated' }
    }
    if (this.#kind === 'simulated') return { feedIds: undefined, busApiKey: 'simulated' }
    if (process.env[BUS_KEY] !== undefined) return { feedIds: undefined, busApiKey: 'environment' }
    this.#say(
      `Without ${BUS_KEY} in the environment there are no live buses (keys are free at MTA).`,
    )
    const rail = FEEDS.flatMap(({ id }) => (id.includes('bus') ? [] : [id]))
    return { feedIds: rail.join(','), busApiKey: 'none' }
  }

  async #registry(): Promise<string> {
    if (this.#options.schemaRegistryUrl !== undefined) return this.#options.schemaRegistryUrl
    const port = await this.#port('registry')
    const registry = await startLocalRegistry({
      port,
      host: HOST,
      dataDir: path.join(this.#options.dataDir, 'registry'),
      clock: this.#clock,
      log: createLogger('WARN'),
    })
    this.#servers.push(registry)
    return registry.url
  }

  async #feeds(): Promise<string | undefined> {
    if (this.#kind === 'live') return undefined
    const { feeds, speed, seed } = this.#options
    const server = await startFeedServer({
      host: HOST,
      port: await this.#port('feeds'),
      mode: feeds.kind === 'replay' ? feeds : { kind: 'simulated' },
      speed,
      seed,
      clock: this.#clock,
      log: createLogger('WARN'),
    })
    this.#servers.push(server)
    return server.url
  }

  async #broker(): Promise<string> {
    if (this.#options.bootstrapServers !== undefined) return this.#options.bootstrapServers
    const topics = Object.entries(TOPICS).map(([name, partitions]) => `${name}:${partitions}`)
    const port = await this.#port('broker')
    await this.#child('broker', 'local-broker.js', [
      '--port',
      String(port),
      '--topics',
      topics.join(','),
    ]).start()
    return `${HOST}:${port}`
  }

  async #snowflake(): Promise<string> {
    ensureKeyPair(this.#options.dataDir)
    const port = await this.#port('snowflake')
    const adminPort = await this.#port('snowflakeAdmin')
    await this.#child('snowflake', 'snowflake-local.js', [
      '--port',
      String(port),
      '--admin-port',
      String(adminPort),
      '--data-dir',
      this.#warehouse(),
      '--user',
      LOCAL_USER,
      '--public-key',
      keyFiles(this.#options.dataDir).publicKey,
    ]).start()
    return `http://${HOST}:${port}`
  }

  async #port(part: keyof typeof PREFERRED_PORTS): Promise<number> {
    const wanted = PREFERRED_PORTS[part]
    const port = await freePort(wanted, HOST)
    if (port !== wanted)
      this.#say(`Port ${wanted} is taken by another program; the ${part} uses ${port}.`)
    return port
  }

  #child(name: string, module: string, args: readonly string[]): SupervisedChild {
    const child = new SupervisedChild({
      name,
      entry: path.join(import.meta.dirname, module),
      args,
      // libuv reads the pool's size before any module runs.
      env: { ...process.env, UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '16' },
      log: new RollingLog(path.join(this.#logs, `${name}.log`), this.#say),
      clock: this.#clock,
      say: (text) => {
        this.#say(text)
        this.#changed()
      },
    })
    this.#children.push(child)
    return child
  }
}

const embedded = (given: string | undefined): string => (given === undefined ? ' (embedded)' : '')
