// The one place that looks at what Snowpipe Streaming answered and says what to do. Nothing here or beyond
// matches on messages: status and code decide.
import { ConnectError } from '../api/errors.ts'
import type { HttpResponse } from './http.ts'

/**
 * What to do after an answer that is not the wanted one:
 * - `retry`: the same bytes with the same tokens again after a wait, without a limit in time: the service is away or busy
 * - `wait`: as `retry`, but for a bounded time: what the path names is not there, or we may not
 * - `uncommitted`: the channel still holds rows that are not committed: ask again, in the end open by force
 * - `reopen`: the channel is not ours any more or invalid: open it again and go on after what it has committed
 * - `rediscover`: the pipe has moved to another host: ask for the host and a token again, then reopen
 * - `split`: the request is too large
 * - `fail`: nobody but an operator can help
 */
export type Reaction = 'retry' | 'wait' | 'uncommitted' | 'reopen' | 'rediscover' | 'split' | 'fail'

export type Operation = 'hostname' | 'token' | 'open' | 'append' | 'status' | 'drop'

const VERBS: Readonly<Record<Operation, string>> = {
  hostname: 'tell',
  token: 'give a token',
  open: 'open',
  append: 'append',
  status: 'tell the status',
  drop: 'drop',
}

/** The service has answered, and not with what was wanted. */
export class SnowpipeError extends ConnectError {
  readonly reaction: Reaction
  readonly status: number
  readonly code: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    answer: {
      readonly reaction: Reaction
      readonly status: number
      readonly code?: string | undefined
      readonly retryAfterMs?: number | undefined
    },
  ) {
    super(message)
    this.reaction = answer.reaction
    this.status = answer.status
    this.code = answer.code
    this.retryAfterMs = answer.retryAfterMs
  }
}

const MISSING_OBJECTS = new Set([
  'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED',
  'ERR_TABLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
])
/** Codes of a 400 that say that the channel, not the request, is the trouble. */
const CHANNEL_IS_INVALID = new Set([
  'STALE_CONTINUATION_TOKEN_SEQUENCER',
  'STALE_PIPE_CACHE',
  'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
  'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER',
  'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER',
  'ERR_CHANNEL_MUST_BE_REOPENED',
  'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
])
const RETRY_REQUEST = 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST'

/** True for an answer that says that table, pipe, schema or database are not there, or not for this role. */
export const isMissingObject = (error: unknown): boolean =>
  error instanceof SnowpipeError && error.code !== undefined && MISSING_OBJECTS.has(error.code)

/** What an answer with a status other than 2xx asks for. */
export function reactionTo(
  operation: Operation,
  status: number,
  code: string | undefined,
): Reaction {
  if (code === RETRY_REQUEST || status === 408 || status === 429 || status >= 500) return 'retry'
  // A new token was tried already. Rights and keys that are being changed come right within a minute, or not at all.
  if (status === 401 || status === 403) return 'wait'
  if (status === 410) return 'rediscover'
  if (status === 413) return operation === 'append' ? 'split' : 'fail'
  if (status === 404) return notFound(operation, code)
  if (status === 409) return conflict(operation, code)
  if (code !== undefined && CHANNEL_IS_INVALID.has(code)) {
    return operation === 'open' ? 'wait' : 'reopen'
  }
  return 'fail'
}

/**
 * A gateway that has lost its route for some seconds answers 404 too, but without a code (the official
 * connector's issue #1443: it takes this for the end).
 */
function notFound(operation: Operation, code: string | undefined): Reaction {
  if (code === undefined) return 'retry'
  return operation === 'append' || operation === 'status' ? 'reopen' : 'wait'
}

function conflict(operation: Operation, code: string | undefined): Reaction {
  if (operation === 'append' || operation === 'status') return 'reopen'
  return code === 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA' ? 'uncommitted' : 'wait'
}

/** What a 2xx answer with a `status_code` other than 0 asks for: rows were not taken. 1, 5 and 6 pass by themselves. */
const reactionToStatusCode = (code: number): Reaction =>
  code === 1 || code === 5 || code === 6 ? 'retry' : 'reopen'

const MESSAGE_CHARS_MAX = 500
const RETRY_AFTER_MS_MAX = 300_000

/** The answer's JSON object; undefined for a text. */
export function jsonOf(body: Buffer): Readonly<Record<string, unknown>> | string | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'string') return value
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>
    }
    return undefined
  } catch {
    return undefined // Gateways and some of the service's own answers are plain text.
  }
}

interface Parsed {
  readonly code: string | undefined
  readonly message: string
}

function describe(body: Buffer): Parsed {
  const json = jsonOf(body)
  if (typeof json === 'string') return { code: json, message: json }
  if (json === undefined) {
    return { code: undefined, message: body.toString('utf8').slice(0, MESSAGE_CHARS_MAX).trim() }
  }
  const code = [json['code'], json['error_code'], json['errorCode'], json['status_code']].find(
    (value): value is string | number =>
      (typeof value === 'string' && value !== '') || typeof value === 'number',
  )
  const message = json['message']
  return {
    code: code === undefined ? undefined : String(code),
    message: typeof message === 'string' ? message.slice(0, MESSAGE_CHARS_MAX) : '',
  }
}

/** Reads `Retry-After`: seconds or an HTTP date; at most five minutes. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, RETRY_AFTER_MS_MAX) : undefined
}

/** The error for an answer that is not 2xx, or that is but says `status_code` ≠ 0. Undefined for a good answer. */
export function classify(
  operation: Operation,
  what: string,
  response: HttpResponse,
  nowMs: number,
): SnowpipeError | undefined {
  const { status } = response
  if (status >= 200 && status < 300) return refusedInside(operation, what, response)
  const { code, message } = describe(response.body)
  return new SnowpipeError(
    `Snowflake refused to ${VERBS[operation]} ${what}: HTTP ${status}${code === undefined ? '' : ` ${code}`}${message === '' ? '' : ` (${message})`}`,
    {
      reaction: reactionTo(operation, status, code),
      status,
      code,
      retryAfterMs: retryAfterMs(response.headers['retry-after'], nowMs),
    },
  )
}

function refusedInside(
  operation: Operation,
  what: string,
  response: HttpResponse,
): SnowpipeError | undefined {
  const json = jsonOf(response.body)
  if (json === undefined || typeof json === 'string') return undefined
  const code = json['status_code']
  if (typeof code !== 'number' || code === 0) return undefined
  const message = typeof json['message'] === 'string' ? json['message'] : ''
  return new SnowpipeError(
    `Snowflake refused to ${VERBS[operation]} ${what}: status_code ${code} within HTTP ${response.status} (${message.slice(0, MESSAGE_CHARS_MAX)})`,
    { reaction: reactionToStatusCode(code), status: response.status, code: String(code) },
  )
}
