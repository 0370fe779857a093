// MTA's feeds on this machine: the same raw paths, a made-up city or recorded bodies behind them, and faults
// on demand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../connector/api/clock.ts'
import { ConfigError, ConnectError, toMessage } from '../../connector/api/errors.ts'
import type { PluginLogger } from '../../connector/api/plugin-metrics.ts'
import { handleAdmin } from './admin.ts'
import type { BodySource } from './body-source.ts'
import { FaultQueue } from './faults.ts'
import { ALL_FEEDS, type SimulatedFeed } from './feed-catalog.ts'
import { FeedClock, SPEED_MAX, SPEED_MIN } from './feed-clock.ts'
import { Replay } from './replay.ts'
import { RetimedReplay } from './retimed-replay.ts'
import { sendFeed, sendMissingToken, sendNoSuchKey, sendText } from './responses.ts'
import { type CityScale, SCALE_MAX, SCALE_MIN, SimulatedCity } from './simulated-city.ts'

const CONNECTIONS_MAX = 256
const REQUEST_MS_MAX = 30_000
const GATEWAY = '/Dataservice/mtagtfsfeeds/'
const ADMIN = '/__sim/'

export type FeedServerMode =
  | {
      readonly kind: 'simulated'
      /** Wall time in milliseconds at which the feeds' time began to run; default: now. */
      readonly epochMs?: number
      /** What the feeds' clock showed then, in milliseconds; default: the same instant. */
      readonly startMs?: number
      /** How many buses there are, as a factor or `peak`; default: 1. */
      readonly scale?: CityScale
    }
  | {
      readonly kind: 'replay'
      readonly dir: string
      /** A tag, or a file's name without `.pb`, to a feed's id or tag. */
      readonly map: Readonly<Record<string, string>>
      /** Moves all times in the bodies to now: over and over, or once; default: the bodies are as recorded. */
      readonly retime?: 'loop' | 'once'
    }

export interface FeedServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly mode: FeedServerMode
  /** Times real time, 1 to 120. A simulated feed's clock runs that fast; a replay waits that much less. */
  readonly speed: number
  /** The same seed, epoch and speed give the same bytes at every instant. */
  readonly seed: number
  /** The only key that bus feeds take; without it they take any. */
  readonly busKey?: string
  readonly clock: Clock
  readonly log: PluginLogger
}

export interface FeedServer {
  /** `http://host:port`, to be put in place of MTA's hosts. */
  readonly url: string
  /** Ends all connections, hanging ones too. */
  close(): Promise<void>
}

/**
 * Starts the server. Throws ConfigError for a speed out of range or a replay folder without recordings, and
 * ConnectError when it cannot listen.
 */
export async function startFeedServer(options: FeedServerOptions): Promise<FeedServer> {
  if (!(options.speed >= SPEED_MIN && options.speed <= SPEED_MAX))
    throw new ConfigError(`Speed: expected ${SPEED_MIN} to ${SPEED_MAX}, got ${options.speed}.`)
  const { mode } = options
  const scale = mode.kind === 'simulated' ? (mode.scale ?? 1) : 1
  if (scale !== 'peak' && !(scale >= SCALE_MIN && scale <= SCALE_MAX))
    throw new ConfigError(`Scale: expected peak or ${SCALE_MIN} to ${SCALE_MAX}, got ${scale}.`)
  const feedClock = new FeedClock({ ...mode, clock: options.clock, speed: options.speed })
  const feedServer = new FeedRequests(bodySource(options, feedClock), feedClock, options)
  const server = createServer((request, response) => feedServer.handle(request, response))
  server.maxConnections = CONNECTIONS_MAX
  server.requestTimeout = REQUEST_MS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new ConnectError(`The feed server cannot listen on ${options.host}:${options.port}.`, {
          cause,
        }),
      ),
    )
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function bodySource({ mode, seed, log }: FeedServerOptions, clock: FeedClock): BodySource {
  if (mode.kind === 'replay') {
    const { retime } = mode
    return retime === undefined
      ? new Replay({ ...mode, clock, log })
      : new RetimedReplay({ ...mode, retime, clock, log })
  }
  return new SimulatedCity({ clock, seed, scale: mode.scale ?? 1 })
}

class FeedRequests {
  readonly #source: BodySource
  readonly #feedClock: FeedClock
  readonly #clock: Clock
  readonly #log: PluginLogger
  readonly #busKey: string | undefined
  readonly #faults: FaultQueue
  /** The good body that each feed served last. */
  readonly #previous = new Map<string, Uint8Array>()

  constructor(source: BodySource, feedClock: FeedClock, options: FeedServerOptions) {
    this.#source = source
    this.#feedClock = feedClock
    this.#clock = options.clock
    this.#log = options.log
    this.#busKey = options.busKey
    this.#faults = new FaultQueue({ now: () => options.clock.now(), seed: options.seed })
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#route(request, response).catch((error: unknown) => {
      this.#log.error({ url: rawPath(request), error: toMessage(error) }, 'A request failed.')
      if (!response.headersSent) sendText(response, 500, 'text/plain', 'The feed server failed')
      else response.destroy()
    })
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = rawPath(request)
    if (path.startsWith(ADMIN)) {
      await handleAdmin(request, response, {
        path,
        parameters: parametersOf(request),
        source: this.#source,
        faults: this.#faults,
        feedClock: this.#feedClock,
        nowMs: this.#clock.now(),
      })
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      sendText(response, 405, 'text/plain', 'Method Not Allowed')
      return
    }
    const feed = ALL_FEEDS.find((one) => one.path === path)
    if (feed !== undefined) {
      await this.#feed(request, response, feed)
      return
    }
    // The gateway has one level below its stage; a slash that is not escaped leads nowhere.
    if (path.startsWith(GATEWAY) && !path.slice(GATEWAY.length).includes('/')) {
      sendNoSuchKey(response)
    } else if (path.startsWith(GATEWAY)) sendMissingToken(response)
    else sendText(response, 404, 'text/plain', 'Not Found')
  }

  async #feed(
    request: IncomingMessage,
    response: ServerResponse,
    feed: SimulatedFeed,
  ): Promise<void> {
    const parameters = parametersOf(request)
    const key = parameters.get('key') ?? ''
    if (feed.needsKey && key === '') {
      sendText(response, 401, 'text/plain', 'API key required')
      return
    }
    if (feed.needsKey && this.#busKey !== undefined && key !== this.#busKey) {
      sendText(response, 403, 'text/plain', 'API key is not authorized')
      return
    }
    const body = await this.#source.body(feed, parameters)
    if (body === undefined) {
      sendNoSuchKey(response)
      return
    }
    const faults = this.#faults.take(feed)
    const previous = this.#previous.get(feed.id) ?? body.bytes
    if (!(await sendFeed(request, response, { feed, body, previous, faults }))) return
    this.#previous.set(feed.id, body.bytes)
    this.#source.served(feed, body)
  }
}

/** The path as it was sent: `%2F` is part of a feed's name and must not become a slash. */
function rawPath(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split('?')
  return path.replaceAll('%2f', '%2F')
}

function parametersOf(request: IncomingMessage): URLSearchParams {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1))
}
