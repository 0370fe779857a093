// How the feed server answers: good bodies with conditional requests and gzip, and every kind of bad answer.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { etagOf, type FeedBody } from './body-source.ts'
import { type AnswerFault, faultEntry } from './fault-catalog.ts'
import type { Fault } from './faults.ts'
import type { SimulatedFeed } from './feed-catalog.ts'
import { spoilAll } from './spoil.ts'

const gzipped = promisify(gzip)
const CONTENT_TYPES = { protobuf: 'application/x-protobuf', json: 'application/json' } as const
/** A third of the usual 6's time, for one per cent more bytes: a test's machine has better to do. */
const GZIP_LEVEL = 3
/** A body is packed once, however many clients ask for it. */
const packed = new WeakMap<Uint8Array, Promise<Uint8Array>>()
const DRIP_BYTES = 64
const DRIP_EVERY_MS = 500
/** A connection that hangs or drips is ended after so long, if the client does not give up before. */
export const HELD_OPEN_MS_MAX = 120_000

const HTML = '<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>'
const NO_SUCH_KEY =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>'
const ERROR_CONDITION =
  '{"Siri":{"ServiceDelivery":{"VehicleMonitoringDelivery":[{"ErrorCondition":{"OtherError":{"ErrorText":"The server is overloaded."},"Description":"The server is overloaded."}}]}}}'

/** These leave the body as it is. */
const HARMLESS = new Set<string>(['no-gzip', 'no-etag'])

interface Delivery {
  readonly body: FeedBody
  readonly contentType: string
  readonly isPackable: boolean
  readonly hasValidators: boolean
}

/**
 * Answers with a feed's body, or 304 when the client has it, and with whatever is to go wrong. `previous` is
 * the good body before this one. Resolves true when all of a body was sent that no fault has changed.
 */
export async function sendFeed(
  request: IncomingMessage,
  response: ServerResponse,
  answer: {
    readonly feed: SimulatedFeed
    readonly body: FeedBody
    readonly previous: Uint8Array
    readonly faults: readonly Fault[]
  },
): Promise<boolean> {
  const { feed, body, previous, faults } = answer
  const contentType = CONTENT_TYPES[feed.format]
  const has = (kind: AnswerFault): boolean => faults.some((fault) => fault.kind === kind)
  const bad = faults.find((fault) => isInsteadOfBody(fault.kind))
  if (bad !== undefined) {
    sendBadAnswer(response, bad)
    return false
  }
  const spoilt = spoilAll(faults, body.bytes, previous)
  if (has('slow-drip')) {
    drip(response, spoilt, contentType)
    return false
  }
  if (has('cut-connection')) {
    cut(response, spoilt, contentType)
    return false
  }
  const hasBodyFault = faults.some(({ kind }) => faultEntry(kind).layer === 'body')
  const isWhole = await deliver(request, response, {
    body: spoilt === body.bytes ? body : { ...body, bytes: spoilt, etag: etagOf(spoilt) },
    contentType: has('wrong-content-type') ? '${header.s3FileType}' : contentType,
    isPackable: !has('no-gzip'),
    hasValidators: !has('no-etag') && !hasBodyFault && !has('wrong-content-type'),
  })
  return isWhole && faults.every(({ kind }) => HARMLESS.has(kind))
}

function isInsteadOfBody(kind: string): boolean {
  return kind in BAD_ANSWERS || kind === 'hang'
}

const BAD_ANSWERS: Readonly<Record<string, readonly [number, string, string]>> = {
  html200: [200, 'text/html', HTML],
  'xml-nosuchkey200': [200, 'application/xml', NO_SUCH_KEY],
  json200: [200, 'application/json', '{"message":"Internal server error"}'],
  text200: [200, 'text/plain', 'Service temporarily unavailable'],
  json403: [403, 'application/json', '{"message":"Missing Authentication Token"}'],
  'error-condition': [200, 'application/json', ERROR_CONDITION],
  429: [429, 'text/plain', 'Slow down'],
  503: [503, 'text/plain', 'Slow down'],
}

function sendBadAnswer(response: ServerResponse, { kind, retryAfterS }: Fault): void {
  const [status, contentType, text] = BAD_ANSWERS[kind] ?? []
  if (status === undefined || contentType === undefined || text === undefined) {
    endLater(response)
    return
  }
  if (kind === '429' || kind === '503') response.setHeader('Retry-After', String(retryAfterS))
  sendText(response, status, contentType, text)
}

/** S3's answer for a key that does not exist, with status 200 all the same. */
export function sendNoSuchKey(response: ServerResponse): void {
  sendText(response, 200, 'application/xml', NO_SUCH_KEY)
}

/** API Gateway's answer for a path that it does not know. */
export function sendMissingToken(response: ServerResponse): void {
  sendText(response, 403, 'application/json', '{"message":"Missing Authentication Token"}')
}

export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  response.writeHead(status, { 'Content-Type': contentType }).end(text)
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, 'application/json', JSON.stringify(value))
}

async function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  { body, contentType, isPackable, hasValidators }: Delivery,
): Promise<boolean> {
  if (hasValidators) {
    response.setHeader('ETag', body.etag)
    if (body.lastModified !== undefined)
      response.setHeader('Last-Modified', new Date(body.lastModified * 1000).toUTCString())
    if (isFresh(request, body)) {
      response.writeHead(304).end()
      return false
    }
  }
  const { bytes } = body
  const wantsGzip = isPackable && takesGzip(request.headers['accept-encoding'])
  const payload = wantsGzip && bytes.length > 0 ? await pack(bytes) : bytes
  if (payload !== bytes) response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Vary', 'Accept-Encoding')
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': payload.length })
  const isWhole = new Promise<boolean>((resolve) => {
    response.once('finish', () => resolve(request.method === 'GET'))
    response.once('close', () => resolve(false))
  })
  response.end(request.method === 'HEAD' ? undefined : payload)
  return isWhole
}

/** `gzip;q=0` refuses it. */
function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((coding) => /^\s*(x-)?gzip\s*(;|$)/i.test(coding) && !/;\s*q=0(\.0*)?\s*$/.test(coding))
}

function pack(bytes: Uint8Array): Promise<Uint8Array> {
  const known = packed.get(bytes)
  if (known !== undefined) return known
  const result = gzipped(bytes, { level: GZIP_LEVEL })
  packed.set(bytes, result)
  return result
}

function isFresh(request: IncomingMessage, body: FeedBody): boolean {
  const tags = request.headers['if-none-match']
  if (tags !== undefined)
    return tags.split(',').some((tag) => [body.etag, '*'].includes(tag.trim().replace(/^W\//, '')))
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  return body.lastModified !== undefined && since >= body.lastModified * 1000
}

function endLater(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), HELD_OPEN_MS_MAX)
  response.once('close', () => clearTimeout(timer))
}

/** Announces all of a body and sends half of it. */
function cut(response: ServerResponse, bytes: Uint8Array, contentType: string): void {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': bytes.length })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}

function drip(response: ServerResponse, bytes: Uint8Array, contentType: string): void {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': bytes.length })
  let sent = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + DRIP_BYTES))
    sent += DRIP_BYTES
    if (sent >= bytes.length) response.end()
  }, DRIP_EVERY_MS)
  response.once('close', () => clearInterval(timer))
  endLater(response)
}
