// The simulator's own routes, below /__sim/: what was served, what is to go wrong next, what time it is.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodySource } from './body-source.ts'
import { canSpoil, FAULT_KINDS, faultEntry, type FaultKind } from './fault-catalog.ts'
import type { FaultQueue } from './faults.ts'
import { ALL_FEEDS } from './feed-catalog.ts'
import type { FeedClock } from './feed-clock.ts'
import { clockOrder, faultOrder, feedsNamed } from './orders.ts'
import { sendJson } from './responses.ts'

const REQUEST_BYTES_MAX = 16 * 1024

interface Admin {
  readonly path: string
  readonly parameters: URLSearchParams
  readonly source: BodySource
  readonly faults: FaultQueue
  readonly feedClock: FeedClock
  readonly nowMs: number
}

type Route = (request: IncomingMessage, response: ServerResponse, admin: Admin) => Promise<void>

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /__sim/status': answering(({ source, faults }) => ({
    ...source.status(),
    faults: faults.waiting(),
  })),
  'GET /__sim/faults': answering(() => ({ faults: FAULT_KINDS.map(described) })),
  'GET /__sim/feeds': answering(() => ({
    feeds: ALL_FEEDS.map(({ id, tag, path, needsKey, stepS, format }) => ({
      id,
      tag,
      path,
      needsKey,
      stepS,
      format,
    })),
  })),
  'GET /__sim/fault': answering(({ faults }) => ({ orders: faults.orders() })),
  'DELETE /__sim/fault': clearFaults,
  'POST /__sim/fault': orderFault,
  'GET /__sim/clock': answering(({ feedClock }) => shown(feedClock)),
  'POST /__sim/clock': orderClock,
}

/**
 * Answers what is below /__sim/: `GET status`, `GET faults` (what can go wrong), `GET feeds`, `GET`, `POST` and
 * `DELETE fault` (what is to go wrong), `GET` and `POST clock`. A request that makes no sense is 400 with what
 * was expected.
 */
export async function handleAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  admin: Admin,
): Promise<void> {
  const name = `${request.method} ${admin.path}`
  const route = ROUTES[name]
  if (route === undefined) sendJson(response, 404, { message: `There is no ${name}.` })
  else await route(request, response, admin)
}

function answering(value: (admin: Admin) => object): Route {
  return (_, response, admin) => {
    sendJson(response, 200, value(admin))
    return Promise.resolve()
  }
}

function described(kind: FaultKind): object {
  const { quirks, about, layer, share } = faultEntry(kind)
  const feeds = ALL_FEEDS.filter((feed) => canSpoil(kind, feed)).map(({ tag }) => tag)
  return { kind, quirks, about, layer, share: share ?? null, feeds }
}

const shown = (clock: FeedClock): object => ({
  now: new Date(clock.now() * 1000).toISOString(),
  unix: clock.now(),
  speed: clock.speed,
  paused: clock.isPaused,
})

function clearFaults(_: IncomingMessage, response: ServerResponse, admin: Admin): Promise<void> {
  const { parameters, faults } = admin
  const feeds = feedsNamed(parameters.get('feed') ?? '*')
  const named = parameters.get('kind')
  const kind = FAULT_KINDS.find((one) => one === named)
  if (feeds.length === 0 || (named !== null && kind === undefined))
    sendJson(response, 400, { message: 'Expected feed and kind to be known, or left out.' })
  else {
    faults.clear(feeds, kind)
    sendJson(response, 200, { faults: faults.waiting() })
  }
  return Promise.resolve()
}

async function orderFault(
  request: IncomingMessage,
  response: ServerResponse,
  { faults, nowMs }: Admin,
): Promise<void> {
  const order = faultOrder(await readJson(request), nowMs)
  if (typeof order === 'string') sendJson(response, 400, { message: `Expected ${order}.` })
  else if (faults.add(order.feeds, order.fault))
    sendJson(response, 200, { faults: faults.waiting() })
  else sendJson(response, 409, { message: 'Too many faults are waiting.' })
}

async function orderClock(
  request: IncomingMessage,
  response: ServerResponse,
  { feedClock }: Admin,
): Promise<void> {
  const order = clockOrder(await readJson(request))
  if (typeof order === 'string') sendJson(response, 400, { message: `Expected ${order}.` })
  else {
    feedClock.set(order)
    sendJson(response, 200, shown(feedClock))
  }
}

/** What a request's body says; undefined when it is too large or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > REQUEST_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined // The answer says what was expected; the parser's own words would add nothing.
  }
}
