// A worker as far as the page can tell: the real rest extension over an HTTP server, with connectors, figures and
// vehicles that a test scripts, and Kafka Connect's REST API to the extent that the page calls it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../connector/api/clock.ts'
import type { ConnectorStatus, TaskStatus } from '../../connector/api/rest-extension.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { MtaUiExtension } from '../../ui/extension.ts'
import { FakeRestExtensionContext } from './fake-rest-extension-context.ts'

export interface FakeConnector {
  readonly status: ConnectorStatus
  readonly config: Readonly<Record<string, string>>
  readonly topics: readonly string[]
}

export interface SeenRequest {
  readonly method: string
  readonly url: string
}

export const VEHICLE_TOPIC = 'mta.vehicle_position.v1'

/** The machine's, but the extension's seconds pass four times as fast: tests wait for them. */
const QUICK_CLOCK: Clock = {
  now: () => systemClock.now(),
  sleep: (ms, signal) => systemClock.sleep(ms / 4, signal),
}

/** Serves the built page, `appDir`, on a free port of the loopback interface. */
export class FakeWorker {
  readonly context = new FakeRestExtensionContext(QUICK_CLOCK)
  /** All that was asked for but files of the page. */
  readonly requests: SeenRequest[] = []
  /** While true, nobody gets a WebSocket. */
  isRefusing = false
  /** Actions wait for this before they are done. */
  held: Promise<void> = Promise.resolve()
  /** What the next action answers instead of doing it. */
  refusal: { readonly status: number; readonly message: string } | undefined
  readonly #server: Server
  readonly #extension = new MtaUiExtension()
  readonly #sockets = new Set<Duplex>()
  #connectors = new Map<string, FakeConnector>()

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const handler = this.context.upgrades.get(request.url ?? '')
      if (handler === undefined || this.isRefusing) {
        socket.destroy()
        return
      }
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      handler(request, socket, head)
    })
  }

  static async start(options: { appDir: string; feeds?: string }): Promise<FakeWorker> {
    const worker = new FakeWorker()
    worker.#extension.configure({
      'ui.topics': VEHICLE_TOPIC,
      'ui.feeds': options.feeds ?? 'simulated',
      'ui.app.dir': options.appDir,
    })
    worker.#extension.register(worker.context)
    await new Promise<void>((resolve) => {
      worker.#server.listen(0, '127.0.0.1', resolve)
    })
    return worker
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connectors(): readonly FakeConnector[] {
    return [...this.#connectors.values()]
  }

  setConnectors(connectors: readonly FakeConnector[]): void {
    this.#connectors = new Map(connectors.map((one) => [one.status.name, one]))
    this.context.setConnectors(connectors.map(({ status }) => status))
  }

  /** Ends the pages' connections, as a worker that restarts does. */
  dropSockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    await this.#extension.close()
    this.dropSockets()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/ui' || url.pathname.startsWith('/ui/')) {
      await this.context.handlers.get('/ui')?.(request, response)
      return
    }
    this.requests.push({ method: request.method ?? '', url: request.url ?? '' })
    if (request.method !== 'GET') await this.held
    const [status, json] = this.#rest(request.method ?? '', url)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(json === undefined ? undefined : JSON.stringify(json))
  }

  #rest(method: string, url: URL): readonly [status: number, json?: unknown] {
    const [top, encoded, ...rest] = url.pathname.split('/').slice(1)
    const name = decodeURIComponent(encoded ?? '')
    if (top !== 'connectors') return notFound(url.pathname)
    if (name === '') {
      const entries = this.connectors.map((one) => [one.status.name, { info: infoOf(one) }])
      return [200, Object.fromEntries(entries)]
    }
    const connector = this.#connectors.get(name)
    if (connector === undefined) return notFound(`Connector ${name}`)
    if (method === 'GET') {
      if (rest[0] === 'topics') return [200, { [name]: { topics: connector.topics } }]
      return [200, infoOf(connector)]
    }
    if (this.refusal !== undefined) {
      const { status, message } = this.refusal
      this.refusal = undefined
      return [status, { error_code: status, message }]
    }
    return this.#act(connector, method, rest)
  }

  #act(
    connector: FakeConnector,
    method: string,
    [action, task]: readonly string[],
  ): readonly [number] {
    const { name } = connector.status
    if (method === 'DELETE') {
      this.setConnectors(this.connectors.filter(({ status }) => status.name !== name))
      return [204]
    }
    const states = { pause: 'PAUSED', resume: 'RUNNING', stop: 'STOPPED', restart: 'RUNNING' }
    const state = states[action as keyof typeof states] ?? connector.status.state
    const tasks = connector.status.tasks.flatMap((one) => {
      if (state === 'STOPPED') return []
      const isMeant = task === undefined || one.id === Number(task)
      return isMeant ? [{ ...one, state, trace: undefined, health: null }] : [one]
    })
    const status: ConnectorStatus = { ...connector.status, state, tasks }
    this.setConnectors(
      this.connectors.map((one) => (one.status.name === name ? { ...one, status } : one)),
    )
    return [action === 'restart' && task === undefined ? 202 : 204]
  }
}

const notFound = (what: string): readonly [number, unknown] => [
  404,
  { error_code: 404, message: `${what} not found` },
]

const infoOf = ({ status, config }: FakeConnector): unknown => ({
  name: status.name,
  config,
  tasks: status.tasks.map(({ id }) => ({ connector: status.name, task: id })),
  type: status.type,
})

/** A task that runs, but for what `extra` says. */
export const taskStatus = (id: number, extra: Partial<TaskStatus> = {}): TaskStatus => ({
  id,
  state: 'RUNNING',
  workerId: '127.0.0.1:8083',
  trace: undefined,
  health: null,
  sinceMs: 0,
  ...extra,
})
