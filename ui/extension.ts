// The page as a rest extension of the worker: its files under /ui/, and /ui/live, over which vehicles, states
// and figures are pushed. It sees what any rest extension sees, nothing more.
import { fileURLToPath } from 'node:url'
import { type WebSocket, WebSocketServer } from 'ws'
import { toMessage } from '../connector/api/errors.ts'
import type { RestExtension, RestExtensionContext } from '../connector/api/rest-extension.ts'
import type { Props } from '../connector/api/task-context.ts'
import { Fleet } from './live/fleet.ts'
import type { LiveMessage } from './live/messages.ts'
import { staticFiles } from './live/static-files.ts'
import { Throughput } from './live/throughput.ts'

const CLIENTS_MAX = 200
const TICK_MS = 1_000
const METRICS_EVERY_TICKS = 2
/** While no page is open, only so that the last hour is known when one is. */
const METRICS_EVERY_TICKS_ALONE = 30
/** A page that has this much waiting gets nothing more until it has read; then it gets everything anew. */
const BUFFERED_BYTES_MAX = 4_000_000
const MESSAGE_BYTES_MAX = 1_024
/** The last reports per partition, so that the map is not empty after a restart of the worker. */
const BACKLOG = 5_000

interface Client {
  readonly socket: WebSocket
  /** It missed changes and needs all vehicles. */
  isBehind: boolean
}

/**
 * `rest.extension.classes=MtaUiExtension`; `ui.topics`: the vehicle position topics, `ui.feeds`: live, simulated or
 * replay, `ui.app.dir`: the built page, by default beside this file.
 */
export class MtaUiExtension implements RestExtension {
  readonly #fleet = new Fleet()
  readonly #throughput = new Throughput()
  readonly #clients = new Set<Client>()
  readonly #stop = new AbortController()
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX })
  #topics: readonly string[] = []
  #feeds = 'live'
  #appDir = fileURLToPath(new URL('./app', import.meta.url))
  #context: RestExtensionContext | undefined
  #loops: Promise<unknown> = Promise.resolve()
  #endStatus: () => void = () => undefined
  #isStatusDue = true

  configure(config: Props): void {
    this.#topics = (config['ui.topics'] ?? '').split(',').flatMap((topic) => {
      const name = topic.trim()
      return name === '' ? [] : [name]
    })
    this.#feeds = config['ui.feeds'] ?? 'live'
    this.#appDir = config['ui.app.dir'] ?? this.#appDir
  }

  register(context: RestExtensionContext): void {
    this.#context = context
    context.handle('/ui', staticFiles(this.#appDir, '/ui'))
    context.onUpgrade('/ui/live', (request, socket, head) => {
      if (this.#clients.size >= CLIENTS_MAX) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
        return
      }
      this.#server.handleUpgrade(request, socket, head, (client) => this.#join(client))
    })
    this.#endStatus = context.onStatus(() => {
      this.#isStatusDue = true
    })
    this.#loops = Promise.all([this.#follow(context), this.#tick(context)])
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#endStatus()
    for (const { socket } of this.#clients) socket.terminate()
    this.#server.close()
    await this.#loops
  }

  #join(socket: WebSocket): void {
    const client: Client = { socket, isBehind: true }
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
    socket.on('error', () => socket.terminate()) // A broken connection is a page that left.
    const nowMs = this.#context?.clock.now() ?? 0
    send(socket, { type: 'hello', feeds: this.#feeds, nowMs })
    this.#catchUp(client, nowMs)
    this.#isStatusDue = true
  }

  async #follow(context: RestExtensionContext): Promise<void> {
    const { signal } = this.#stop
    while (this.#topics.length > 0 && !signal.aborted) {
      try {
        for await (const batch of context.records(this.#topics, signal, { backlog: BACKLOG })) {
          const nowMs = context.clock.now()
          for (const record of batch) this.#fleet.apply(record, nowMs)
        }
      } catch (error) {
        if (signal.aborted) return
        context.log.warn(
          { reason: toMessage(error) },
          'The map cannot read its topics; trying again.',
        )
      }
      await context.clock.sleep(TICK_MS, signal).catch(() => undefined) // An abort ends the loop.
    }
  }

  async #tick(context: RestExtensionContext): Promise<void> {
    const { signal } = this.#stop
    for (let tick = 0; !signal.aborted; tick++) {
      await context.clock.sleep(TICK_MS, signal).catch(() => undefined) // An abort ends the loop.
      if (signal.aborted) return
      const nowMs = context.clock.now()
      this.#fleet.expire(nowMs)
      this.#sendVehicles(nowMs)
      const isAlone = this.#clients.size === 0
      if (this.#isStatusDue && !isAlone) {
        this.#isStatusDue = false
        this.#broadcast({ type: 'connectors', connectors: context.connectors() })
      }
      const everyTicks = isAlone ? METRICS_EVERY_TICKS_ALONE : METRICS_EVERY_TICKS
      if (tick % everyTicks === 0) await this.#sendMetrics(context, nowMs)
    }
  }

  async #sendMetrics(context: RestExtensionContext, nowMs: number): Promise<void> {
    try {
      const connectors = this.#throughput.sample(await context.metricsText(), nowMs)
      this.#broadcast({ type: 'metrics', nowMs, connectors })
    } catch (error) {
      context.log.warn({ reason: toMessage(error) }, 'The metrics could not be read for the page.')
    }
  }

  #sendVehicles(nowMs: number): void {
    const { vehicles, gone } = this.#fleet.takeChanges()
    const changes =
      vehicles.length + gone.length === 0
        ? undefined
        : JSON.stringify({
            type: 'vehicles',
            nowMs,
            full: false,
            vehicles,
            gone,
          } satisfies LiveMessage)
    for (const client of this.#clients) {
      if (client.isBehind) this.#catchUp(client, nowMs)
      else if (changes !== undefined && !sendText(client.socket, changes)) client.isBehind = true
    }
  }

  #catchUp(client: Client, nowMs: number): void {
    const vehicles = this.#fleet.all()
    client.isBehind = !send(client.socket, {
      type: 'vehicles',
      nowMs,
      full: true,
      vehicles,
      gone: [],
    })
  }

  #broadcast(message: LiveMessage): void {
    const text = JSON.stringify(message)
    for (const { socket } of this.#clients) sendText(socket, text)
  }
}

const send = (socket: WebSocket, message: LiveMessage): boolean =>
  sendText(socket, JSON.stringify(message))

/** False when the page does not read fast enough and the message was left out. */
function sendText(socket: WebSocket, text: string): boolean {
  if (socket.bufferedAmount > BUFFERED_BYTES_MAX) return false
  socket.send(text)
  return true
}
