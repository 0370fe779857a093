// The Snowpipe Streaming REST API, high-performance architecture ("v2").
import type { Clock } from '../../../api/clock.ts'
import type { Authenticator } from '../auth.ts'
import { ApiError, unavailable } from '../errors.ts'
import { type Answer, type Call, json, jsonBody, text } from '../http.ts'
import { foldName } from '../identifiers.ts'
import { parseFragments, readFragments } from '../stage/file-buffer.ts'
import type { Stage } from '../stage/stage.ts'
import { unpack } from '../unpack.ts'
import { noSuchChannel } from './channel.ts'
import { channelStatus } from './channel-status.ts'
import type { Ingests, Pipe, PipeIdentifier } from './ingests.ts'
import { offsetToken } from './offset-token.ts'
import { ELASTIC_CHANNEL } from './pipe-channels.ts'
import { pipeInfo } from './pipe-info.ts'
import type { AppendOptions } from './table-ingest.ts'

const STATUS_NAMES_MAX = 2_000
const NAME_LENGTH_MAX = 512

export interface StreamingApiOptions {
  readonly ingests: Ingests
  readonly auth: Authenticator
  readonly clock: Clock
  readonly stage: Stage
  /** Port of the HTTPS listener, where there is one: the stage is only ever asked for by HTTPS. */
  readonly tlsPort: () => number | undefined
}

/** True for the paths that `StreamingApi.handle` answers. */
export const isStreamingPath = (path: string): boolean =>
  path.startsWith('/v2/streaming/') || path === '/oauth/token' || path.startsWith('/telemetry/')

interface Target {
  readonly identifier: PipeIdentifier
  readonly action: string | undefined
  readonly channel: string | undefined
  /** What a data path ends in. */
  readonly data: 'rows' | 'filebuffer' | undefined
}

export class StreamingApi {
  readonly #options: StreamingApiOptions

  constructor(options: StreamingApiOptions) {
    this.#options = options
  }

  async handle(call: Call): Promise<Answer> {
    if (call.headers.accept === undefined)
      throw new ApiError(406, '391902', 'Unsupported Accept header null is specified.')
    if (call.path.startsWith('/telemetry/'))
      return json({ data: 'ok', code: null, message: null, success: true })
    if (call.path === '/oauth/token' && call.method === 'POST') return this.#token(call)
    if (call.path === '/v2/streaming/hostname' && call.method === 'GET') return this.#hostname(call)
    return this.#object(call)
  }

  /** Bare text. The SDK adds its own port to it; other clients use it as it is. */
  #hostname(call: Call): Answer {
    this.#authenticate(call)
    const host = call.headers.host ?? '127.0.0.1'
    const isSdk = call.headers['user-agent']?.startsWith('SnowpipeStreamingSDK/') === true
    return text(isSdk ? host.replace(/:\d+$/, '') : host)
  }

  async #token(call: Call): Promise<Answer> {
    const form = new URLSearchParams(
      Buffer.from(await unpack(call.body, call.headers['content-encoding'])).toString('utf8'),
    )
    const grant = form.get('grant_type')
    const { auth } = this.#options
    const type = call.headers['x-snowflake-authorization-token-type']
    let user: string
    if (grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      user = auth.keyPairUser(form.get('assertion') ?? bearer(call))
    else if (grant === 'urn:ietf:params:oauth:grant-type:token-exchange')
      user = auth.accountUser(bearer(call), String(type))
    else
      throw new ApiError(
        400,
        'invalid_grant',
        `grant_type is '${grant}', not jwt-bearer or token-exchange.`,
      )
    return text(auth.mintScopedToken(user, form.get('scope') ?? ''))
  }

  /** Scoped tokens everywhere, and the key-pair JWT where clients use it. */
  #authenticate(call: Call): void {
    const { auth } = this.#options
    const token = bearer(call)
    const type = call.headers['x-snowflake-authorization-token-type']
    if (type === 'OAUTH') auth.scopedUser(token)
    else if (type === 'KEYPAIR_JWT' || type === 'JWT') auth.keyPairUser(token)
    else if (type === 'PROGRAMMATIC_ACCESS_TOKEN') auth.accessTokenUser(token)
    else if (type === undefined) this.#authenticateUntyped(token)
    else
      throw new ApiError(
        401,
        '390303',
        `Token type ${String(type)} is not supported by the embedded endpoint.`,
      )
  }

  #authenticateUntyped(token: string): void {
    const { auth } = this.#options
    try {
      auth.scopedUser(token)
    } catch (error) {
      // Not a scoped token of ours; an expired one stays expired.
      if (error instanceof ApiError && error.code === '390318') throw error
      auth.keyPairUser(token)
    }
  }

  async #object(call: Call): Promise<Answer> {
    this.#authenticate(call)
    const target = parseTarget(call.path)
    if (target === undefined)
      throw new ApiError(404, 'ERR_NOT_FOUND', `There is no ${call.method} ${call.path}.`)
    const { method } = call
    const { action, channel, data } = target
    if (method === 'POST' && data === 'rows') return this.#append(call, target)
    if (method === 'POST' && data === 'filebuffer') return this.#appendFiles(call, target)
    if (method === 'POST' && action === 'bulk-channel-status') return this.#bulkStatus(call, target)
    if (action === 'pipe-info' && (method === 'POST' || method === 'GET'))
      return this.#pipeInfo(call, target)
    if (method === 'PUT' && channel !== undefined) return this.#open(call, target, channel)
    if (method === 'DELETE' && channel !== undefined) return this.#drop(call, target, channel)
    throw new ApiError(405, 'ERR_METHOD_NOT_ALLOWED', `There is no ${method} ${call.path}.`)
  }

  #pipeInfo(call: Call, { identifier }: Target): Answer {
    const { ingests, stage, clock, tlsPort } = this.#options
    ingests.pipe(identifier)
    const host = call.headers.host ?? '127.0.0.1'
    const port = tlsPort()
    return json(
      pipeInfo(identifier, {
        nowMs: clock.now(),
        storageEndpoint: port === undefined ? host : `${host.replace(/:\d+$/, '')}:${port}`,
        location: stage.newLocation(`${identifier.database}/${identifier.schema}`),
      }),
    )
  }

  async #open(call: Call, { identifier }: Target, name: string): Promise<Answer> {
    const body = await jsonBody(call)
    const token = optionalString(body, 'offset_token')
    offsetToken('offset_token', token ?? null)
    const { ingest, channels } = this.#options.ingests.pipe(identifier)
    const channel = await ingest.open(channels, name, {
      offsetToken: token,
      failOnUncommittedRows: body['fail_on_uncommitted_rows'] === true,
    })
    return json({
      next_continuation_token: channel.nextToken(),
      channel_status: channelStatus(identifier, channel),
    })
  }

  async #append(call: Call, { identifier, channel }: Target): Promise<Answer> {
    const type = call.headers['content-type']
    if (type !== undefined && !/^application\/(x-ndjson|json)\b/.test(type))
      throw new ApiError(
        415,
        'ERR_UNSUPPORTED_CONTENT_TYPE',
        `Content-Type is ${type}, not NDJSON.`,
      )
    if (channel === undefined || channel.toUpperCase() === ELASTIC_CHANNEL)
      return this.#appendElastic(
        identifier,
        channel,
        await unpack(call.body, call.headers['content-encoding']),
      )
    const pipe = this.#writablePipe(identifier)
    const continuationToken = continuationTokenOf(call)
    const tokens = {
      startToken: queryToken(call, 'startOffsetToken'),
      endToken: queryToken(call, 'endOffsetToken'),
    }
    // Both before the body is unpacked: a client that is told to wait comes again and again with the same one.
    const bytes = unpackedLength(call)
    const repeated = pipe.ingest.repeatOf(pipe.channels, channel, { continuationToken, bytes })
    if (repeated !== undefined) return appendAnswer(repeated)
    pipe.ingest.expectRoom(bytes)
    return appended(pipe, channel, {
      continuationToken,
      ...tokens,
      bytes: await unpack(call.body, call.headers['content-encoding']),
    })
  }

  /** The token is looked at before the files: they may be gone when the same registration comes again. */
  async #appendFiles(call: Call, { identifier, channel }: Target): Promise<Answer> {
    const fragments = parseFragments(await unpack(call.body, call.headers['content-encoding']))
    const { stage } = this.#options
    if (channel === undefined || channel.toUpperCase() === ELASTIC_CHANNEL) {
      const answer = this.#appendElastic(identifier, channel, await readFragments(stage, fragments))
      for (const { filePath } of fragments) stage.remove(filePath)
      return answer
    }
    const pipe = this.#writablePipe(identifier)
    const continuationToken = continuationTokenOf(call)
    const repeated = pipe.ingest.repeatOf(pipe.channels, channel, {
      continuationToken,
      bytes: call.body.byteLength,
    })
    if (repeated !== undefined) return appendAnswer(repeated)
    const answer = appended(pipe, channel, {
      continuationToken,
      startToken: fragments[0]?.startToken ?? null,
      endToken: fragments.at(-1)?.endToken ?? null,
      bytes: await readFragments(stage, fragments),
    })
    for (const { filePath } of fragments) stage.remove(filePath)
    return answer
  }

  /** @throws ApiError 404; 503 while the table cannot be written. */
  #writablePipe(identifier: PipeIdentifier): Pipe {
    const pipe = this.#options.ingests.pipe(identifier)
    if (pipe.ingest.trouble !== undefined) throw unavailable(pipe.ingest.trouble)
    return pipe
  }

  #appendElastic(
    identifier: PipeIdentifier,
    channel: string | undefined,
    bytes: Uint8Array,
  ): Answer {
    const { ingests } = this.#options
    const { database, schema, pipe } = identifier
    const { ingest, channels } =
      channel === undefined
        ? ingests.tablePipe({ database, schema, table: pipe })
        : ingests.pipe(identifier)
    ingest.appendElastic(channels, bytes)
    return json({ message: 'OK', next_continuation_token: '' })
  }

  async #bulkStatus(call: Call, { identifier }: Target): Promise<Answer> {
    const names = (await jsonBody(call))['channel_names']
    if (!Array.isArray(names) || names.length > STATUS_NAMES_MAX)
      throw new ApiError(
        400,
        'ERR_INVALID_PAYLOAD',
        `channel_names must be a list of at most ${STATUS_NAMES_MAX} names.`,
      )
    const { channels } = this.#options.ingests.pipe(identifier)
    const statuses = names.flatMap((name: unknown) => {
      if (typeof name !== 'string') return []
      const channel =
        name.toUpperCase() === ELASTIC_CHANNEL
          ? channels.elastic(this.#options.clock.now())
          : channels.get(name)
      return channel === undefined
        ? []
        : [[name, { ...channelStatus(identifier, channel), channel_name: name }] as const]
    })
    return json({ channel_statuses: Object.fromEntries(statuses) })
  }

  async #drop(call: Call, { identifier }: Target, name: string): Promise<Answer> {
    const body = await jsonBody(call)
    const { ingest, channels } = this.#options.ingests.pipe(identifier)
    if (channels.get(name) === undefined) throw noSuchChannel(name)
    await ingest.drop(channels, name, body['fail_on_uncommitted_rows'] === true)
    return json({})
  }
}

const appendAnswer = (next: string): Answer =>
  json({ status_code: 0, message: 'Success', next_continuation_token: next })

const appended = ({ ingest, channels }: Pipe, channel: string, options: AppendOptions): Answer =>
  appendAnswer(ingest.append(channels, channel, options))

/** What the client says, where it says so, and at least what came over the wire. */
function unpackedLength(call: Call): number {
  const said = Number(call.headers['x-snowflake-uncompressed-content-length'] ?? 0)
  return Math.max(Number.isFinite(said) ? said : 0, call.body.byteLength)
}

function continuationTokenOf(call: Call): string {
  const token = call.query.get('continuationToken')
  if (token !== null) return token
  throw new ApiError(400, 'ERR_MISSING_CONTINUATION_TOKEN', 'continuationToken is missing.')
}

function bearer(call: Call): string {
  const [scheme, token] = (call.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '')
    throw new ApiError(401, '390104', 'The Authorization header with a bearer token is missing.')
  return token
}

function optionalString(body: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new ApiError(400, 'ERR_INVALID_PAYLOAD', `${key} is not a string.`)
}

/** The token of the parameter, or the one for both that older SDKs send. */
function queryToken({ query }: Call, name: string): string | null {
  const named = query.get(name)
  return named === null
    ? offsetToken('offsetToken', query.get('offsetToken'))
    : offsetToken(name, named)
}

const PATH =
  /^\/v2\/streaming(?<data>\/data)?(?:\/org\/[^/]+\/accounts\/[^/]+)?\/databases\/(?<database>[^/]+)\/schemas\/(?<schema>[^/]+)\/(?<kind>pipes|tables)\/(?<object>[^/]+?)(?<action>:[a-z-]+)?(?:\/channels\/(?<channel>[^/]+))?(?:\/(?<rows>rows|filebuffer))?$/

function parseTarget(path: string): Target | undefined {
  const groups = PATH.exec(path)?.groups
  if (groups === undefined) return undefined
  const { database, schema, kind, object, action, channel, rows, data } = groups
  // Rows have a path of their own, and only rows go to tables and to channels of no name.
  if ((rows === undefined) !== (data === undefined)) return undefined
  if (rows === undefined && kind === 'tables') return undefined
  if (rows !== undefined && (kind === 'tables') !== (channel === undefined)) return undefined
  return {
    identifier: {
      database: foldName(decode(database)),
      schema: foldName(decode(schema)),
      pipe: foldName(decode(object)),
    },
    action: action?.slice(1),
    channel: channel === undefined ? undefined : decode(channel),
    data: rows === 'rows' || rows === 'filebuffer' ? rows : undefined,
  }
}

function decode(segment: string | undefined): string {
  let name: string
  try {
    name = decodeURIComponent(segment ?? '')
  } catch (error) {
    throw new ApiError(
      400,
      'ERR_INVALID_NAME',
      'A name in the path is not percent-encoded UTF-8.',
      {
        cause: error,
      },
    )
  }
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw new ApiError(400, 'ERR_INVALID_NAME', 'A name in the path is empty or too long.')
  return name
}
