// One HTTP GET with limits, on Node's own client. The only place of this plugin that touches the network.
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { gunzip as gunzipCallback } from 'node:zlib'
import { ConnectError, toMessage } from '../connector/api/errors.ts'

const gunzip = promisify(gunzipCallback)
const REDIRECTS_MAX = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface HttpRequest {
  readonly url: URL
  /** Lower-case names. Those given here go to `url`'s origin only, whatever it redirects to. */
  readonly headers: Readonly<Record<string, string>>
  /** Largest body, as sent and decompressed. */
  readonly bytesMax: number
  /** A parameter of `url`'s query that goes to no other host, even if a redirect names it. */
  readonly secretParameter?: string
}

export interface HttpAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Decompressed. */
  readonly body: Uint8Array
  /** Size of the body as sent. */
  readonly wireBytes: number
}

/** Rejects with `HttpError`, or with the signal's reason once it aborts. */
export type HttpGet = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>

export type HttpFailure = 'NETWORK' | 'TRUNCATED' | 'TOO_LARGE' | 'REDIRECT'

/** Why there is no answer. The message holds neither query nor headers. */
export class HttpError extends ConnectError {
  readonly failure: HttpFailure
  constructor(failure: HttpFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

/** Follows up to three redirects, never from https to http; asks for gzip. */
export const httpGet: HttpGet = async (request, signal) => {
  let { url, headers } = request
  for (let hop = 0; ; hop++) {
    const response = await send(url, headers, signal)
    const location = response.headers.location
    if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined) {
      return read(response, request.bytesMax, signal)
    }
    response.destroy()
    if (hop >= REDIRECTS_MAX) {
      throw new HttpError('REDIRECT', `More than ${REDIRECTS_MAX} redirects`)
    }
    const next = redirected(url, location)
    if (!isSameServer(url, next)) {
      headers = { accept: headers['accept'] ?? '*/*' }
      if (request.secretParameter !== undefined) next.searchParams.delete(request.secretParameter)
    }
    url = next
  }
}

/** The same origin, or the same host's https in place of its http, both at their usual ports. */
const isSameServer = (from: URL, to: URL): boolean =>
  from.origin === to.origin ||
  (from.hostname === to.hostname && from.port === '' && to.port === '' && to.protocol === 'https:')

function redirected(from: URL, location: string): URL {
  let next: URL
  try {
    next = new URL(location, from)
  } catch (cause) {
    throw new HttpError('REDIRECT', 'Redirected to what is no URL', { cause })
  }
  const isAllowed = next.protocol === 'https:' || next.protocol === from.protocol
  if (!isAllowed) throw new HttpError('REDIRECT', `Redirected to ${next.protocol}`)
  return next
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  try {
    return await sendOnce(url, headers, signal)
  } catch (error) {
    // An idle connection that the server closed meanwhile says nothing about the server: once more.
    if (error instanceof HttpError && error.cause instanceof ReusedSocketError) {
      return sendOnce(url, headers, signal)
    }
    throw error
  }
}

class ReusedSocketError extends ConnectError {}

function sendOnce(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers: { ...headers, 'accept-encoding': 'gzip' }, signal }
    const request = url.protocol === 'https:' ? https.get(url, options) : http.get(url, options)
    request.on('response', resolve)
    request.on('error', (error) => {
      if (signal.aborted) reject(asError(signal.reason))
      else {
        const cause = request.reusedSocket
          ? new ReusedSocketError('A kept connection was closed', { cause: error })
          : error
        reject(
          new HttpError('NETWORK', `No answer from ${url.host}: ${toMessage(error)}`, { cause }),
        )
      }
    })
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true })
  })
}

async function read(
  response: http.IncomingMessage,
  bytesMax: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let wireBytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      wireBytes += chunk.length
      if (wireBytes > bytesMax) {
        throw new HttpError('TOO_LARGE', `The body is larger than ${bytesMax} bytes`)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause
    if (signal.aborted) throw asError(signal.reason)
    const expected = response.headers['content-length'] ?? 'unknown'
    throw new HttpError(
      'TRUNCATED',
      `The body ended after ${wireBytes} bytes, expected ${expected}`,
      {
        cause,
      },
    )
  }
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, single(value)]),
  )
  return {
    status: response.statusCode ?? 0,
    headers,
    body: await decompress(Buffer.concat(chunks), headers['content-encoding'], bytesMax),
    wireBytes,
  }
}

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value

async function decompress(
  body: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Uint8Array> {
  if (encoding === undefined || encoding === 'identity' || encoding === '' || body.length === 0) {
    return body
  }
  if (!/^(x-)?gzip$/i.test(encoding)) {
    throw new HttpError('NETWORK', `A body in content encoding ${encoding}, asked for gzip`)
  }
  try {
    return await gunzip(body, { maxOutputLength: bytesMax })
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new HttpError('TOO_LARGE', `The body is larger than ${bytesMax} bytes`, { cause })
    }
    throw new HttpError('TRUNCATED', 'The gzip body is cut off or broken', { cause })
  }
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new ConnectError('Aborted', { cause: reason })
