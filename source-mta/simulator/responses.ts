// How the feed server answers: good bodies with conditional requests and gzip, and every kind of bad answer.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FeedBody } from './body-source.ts'
import { type Fault, spoil } from './faults.ts'

const gzipped = promisify(gzip)
const PROTOBUF = 'application/x-protobuf'
const DRIP_BYTES = 64
const DRIP_EVERY_MS = 500
/** A connection that hangs or drips is ended after so long, if the client does not give up before. */
export const HELD_OPEN_MS_MAX = 120_000

const HTML = '<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>'
const NO_SUCH_KEY =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>'

/** Answers with a good body, or 304 when the client has it. Resolves true when all of a body was sent. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  body: FeedBody,
): Promise<boolean> {
  response.setHeader('ETag', body.etag)
  if (body.lastModified !== undefined)
    response.setHeader('Last-Modified', new Date(body.lastModified * 1000).toUTCString())
  if (isFresh(request, body)) {
    response.writeHead(304).end()
    return false
  }
  return send(request, response, { bytes: body.bytes, contentType: PROTOBUF })
}

/** Answers as `fault` has it. `previous` is the good body before this one. */
export async function sendFault(
  request: IncomingMessage,
  response: ServerResponse,
  answer: { readonly fault: Fault; readonly body: FeedBody; readonly previous: Uint8Array },
): Promise<void> {
  const { fault, body, previous } = answer
  switch (fault.kind) {
    case 'html200':
      sendText(response, 200, 'text/html', HTML)
      return
    case 'xml-nosuchkey200':
      sendNoSuchKey(response)
      return
    case 'json403':
      sendMissingToken(response)
      return
    case '429':
    case '503':
      response.setHeader('Retry-After', String(fault.retryAfterS))
      sendText(response, Number(fault.kind), 'text/plain', 'Slow down')
      return
    case 'hang':
      endLater(response)
      return
    case 'slow-drip':
      drip(response, body.bytes)
      return
    case 'wrong-content-type':
      await send(request, response, { bytes: body.bytes, contentType: '${header.s3FileType}' })
      return
    case 'empty200':
    case 'truncate-mid':
    case 'truncate-boundary':
    case 'header-regress':
    case 'header-frozen':
    case 'advance-frozen-content':
    case 'duplicate-entity-ids':
    case 'concat-two':
    case 'shrink': {
      const bytes = spoil(fault.kind, body.bytes, previous)
      await send(request, response, { bytes, contentType: PROTOBUF })
    }
  }
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

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, contentType }: { bytes: Uint8Array; contentType: string },
): Promise<boolean> {
  const wantsGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  const payload = wantsGzip && bytes.length > 0 ? await gzipped(bytes) : bytes
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

function drip(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'Content-Type': PROTOBUF, 'Content-Length': bytes.length })
  let sent = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + DRIP_BYTES))
    sent += DRIP_BYTES
    if (sent >= bytes.length) response.end()
  }, DRIP_EVERY_MS)
  response.once('close', () => clearInterval(timer))
  endLater(response)
}
