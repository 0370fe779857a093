// The simulator's own routes, below /__sim/: what was served, and what is to go wrong next.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodySource } from './body-source.ts'
import { FAULT_KINDS, type Fault, type FaultQueue } from './faults.ts'
import { FEEDS, feedNamed, type SimulatedFeed } from './feed-catalog.ts'
import { sendJson } from './responses.ts'

const REQUEST_BYTES_MAX = 16 * 1024
const COUNT_MAX = 10_000
const RETRY_AFTER_S_MAX = 3_600

interface Admin {
  readonly path: string
  readonly source: BodySource
  readonly faults: FaultQueue
}

/**
 * `GET /__sim/status`: what was served. `POST /__sim/fault {feed, kind, count, retryAfter}`: spoils the next
 * `count` responses of a feed (id, tag or `*`). `DELETE /__sim/fault`: no more faults.
 */
export async function handleAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  { path, source, faults }: Admin,
): Promise<void> {
  const route = `${request.method} ${path}`
  if (route === 'GET /__sim/status') {
    sendJson(response, 200, { ...source.status(), faults: faults.waiting() })
  } else if (route === 'DELETE /__sim/fault') {
    faults.clear()
    sendJson(response, 200, { faults: {} })
  } else if (route === 'POST /__sim/fault') {
    const text = await readText(request)
    const order = text === undefined ? 'a body of at most 16 KiB' : parseOrder(text)
    if (typeof order === 'string') {
      sendJson(response, 400, { message: `Expected ${order}.` })
    } else if (faults.add(order.feeds, order.fault)) {
      sendJson(response, 200, { faults: faults.waiting() })
    } else sendJson(response, 409, { message: 'Too many faults are waiting.' })
  } else sendJson(response, 404, { message: `There is no ${route}.` })
}

/** The order, or what was expected instead. */
function parseOrder(text: string): { feeds: readonly SimulatedFeed[]; fault: Fault } | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'JSON' // The answer says so; the parser's own words would add nothing.
  }
  if (typeof value !== 'object' || value === null) return 'a JSON object'
  const order = value as Readonly<Record<string, unknown>>
  const feed = feedNamed(String(order['feed']))
  const feeds = order['feed'] === '*' ? FEEDS : feed === undefined ? [] : [feed]
  if (feeds.length === 0) return `feed to be *, ${FEEDS.map(({ tag }) => tag).join(', ')}`
  const kind = FAULT_KINDS.find((one) => one === order['kind'])
  if (kind === undefined) return `kind to be ${FAULT_KINDS.join(', ')}`
  const count = order['count'] ?? 1
  if (!isWholeNumber(count, 1, COUNT_MAX)) return `count to be 1 to ${COUNT_MAX}`
  const retryAfterS = order['retryAfter'] ?? 2
  if (!isWholeNumber(retryAfterS, 0, RETRY_AFTER_S_MAX))
    return `retryAfter to be 0 to ${RETRY_AFTER_S_MAX} seconds`
  return { feeds, fault: { kind, count, retryAfterS } }
}

function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > REQUEST_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
