// The little that the endpoint needs over node:http: one call in, one answer out, limits on both.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toMessage } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import { ApiError } from './errors.ts'
import type { ByteBudget } from './streaming/byte-budget.ts'
import { tooLarge, unpack } from './unpack.ts'

/** One request with its body read. */
export interface Call {
  readonly method: string
  /** As sent: still percent-encoded, without query, and without doubled slashes. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** As it came over the wire. */
  readonly body: Uint8Array
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  /** Objects are sent as JSON, strings as they are. */
  readonly body: object | string | undefined
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler = (call: Call) => Promise<Answer> | Answer

export const json = (body: object, status = 200): Answer => ({ status, body })
export const text = (body: string): Answer => ({ status: 200, body, contentType: 'text/plain' })

/**
 * Reads a body of at most `bytesMax` bytes, within what all requests together may hold.
 * @throws ApiError 413, 429.
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  budget: ByteBudget,
): Promise<{ body: Uint8Array; release: () => void }> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax)
  const chunks: Uint8Array[] = []
  let bytes = 0
  const release = (): void => budget.give(bytes)
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      if (bytes + chunk.byteLength > bytesMax) throw tooLarge(bytesMax)
      if (!budget.take(chunk.byteLength))
        throw new ApiError(429, 'ERR_TOO_MANY_REQUESTS', 'Too many bytes of requests at once.', {
          headers: { connection: 'close', 'retry-after': '1' },
        })
      bytes += chunk.byteLength
      chunks.push(chunk)
    }
  } catch (error) {
    release()
    throw error
  }
  return { body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), release }
}

/** The body as a JSON object; an empty one is `{}`. @throws ApiError 400. */
export async function jsonBody(call: Call): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await unpack(call.body, call.headers['content-encoding'])
  if (bytes.byteLength === 0) return {}
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new ApiError(400, 'ERR_INVALID_PAYLOAD', `The body is not JSON: ${toMessage(error)}.`, {
      cause: error,
    })
  }
  throw new ApiError(400, 'ERR_INVALID_PAYLOAD', 'The body is not a JSON object.')
}

/** Sends an answer; `cut` ends the connection in the middle of the body. */
export function send(response: ServerResponse, answer: Answer, cut = false): void {
  const isText = typeof answer.body === 'string'
  const body = answer.body === undefined ? '' : isText ? answer.body : JSON.stringify(answer.body)
  const bytes = Buffer.from(body)
  response.writeHead(answer.status, {
    ...(answer.body === undefined
      ? {}
      : { 'content-type': answer.contentType ?? (isText ? 'text/plain' : 'application/json') }),
    'content-length': bytes.byteLength,
    ...answer.headers,
  })
  if (cut) {
    response.write(bytes.subarray(0, Math.floor(bytes.byteLength / 2)), () => response.destroy())
    return
  }
  response.end(bytes)
}

/** The answer to a call that failed: ours by its code, the rest as a bug with status 500. */
export function errorAnswer(error: unknown, call: string, log: PluginLogger): Answer {
  if (error instanceof ApiError) {
    if (error.status >= 500) log.warn({ call, error: toMessage(error) }, 'A call failed.')
    return {
      status: error.status,
      body: { code: error.code, message: error.message },
      headers: error.headers,
    }
  }
  log.error({ call, error: toMessage(error) }, 'A call failed in a way that nobody foresaw.')
  return json({ code: 'ERR_INTERNAL', message: 'Internal error; the log has it.' }, 500)
}
