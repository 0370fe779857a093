import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOriginAllowed } from './server.ts'

export interface CrossOriginRules {
  /** `access.control.allow.origin`: origins, or `*`; empty: none. */
  readonly origins: string
  readonly methods: string
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Sets the CORS headers of an answer. False for a request by a page of another origin that is not allowed and would
 * change something; reading is harmless, since the browser keeps the answer from that page.
 */
export function crossOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  { origins, methods }: CrossOriginRules,
): boolean {
  const { host, origin } = request.headers
  if (origins !== '') response.setHeader('Vary', 'Origin')
  if (origin === undefined) return true
  const allowed = origins.split(/\s*,\s*/)
  const isAllowed = allowed.includes('*') || allowed.includes(origin)
  if (!isAllowed) return READING.has(request.method ?? '') || isOriginAllowed(origin, host)
  response.setHeader('Access-Control-Allow-Origin', origin)
  if (
    request.method === 'OPTIONS' &&
    request.headers['access-control-request-method'] !== undefined
  ) {
    response.setHeader('Access-Control-Allow-Methods', methods || 'GET,POST,HEAD')
    response.setHeader('Access-Control-Allow-Headers', 'Content-Type')
    response.setHeader('Access-Control-Max-Age', '60')
  }
  return true
}
