// A plain client of the Snowpipe Streaming REST API, for tests of the endpoint: no retries, every answer as it came.
import { keyPairJwt, type TestKey } from './snowflake-keys.ts'

export interface StreamingAnswer {
  readonly status: number
  readonly text: string
  /** The body as JSON, `{}` when it is none. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface ChannelPath {
  readonly database: string
  readonly schema: string
  readonly pipe: string
}

interface AppendRequest {
  readonly channel: string
  readonly token: string
  readonly rows: string | Uint8Array<ArrayBuffer>
  readonly start?: string
  readonly end?: string
  readonly headers?: Readonly<Record<string, string>>
}

export class StreamingClient {
  readonly #url: string
  readonly #path: ChannelPath
  readonly #jwt: string
  #scoped = ''

  constructor(options: {
    url: string
    path: ChannelPath
    key: TestKey
    user: string
    nowMs: number
  }) {
    this.#url = options.url
    this.#path = options.path
    this.#jwt = keyPairJwt(options.key, options)
  }

  get #pipe(): string {
    const { database, schema, pipe } = this.#path
    return `databases/${database}/schemas/${schema}/pipes/${encodeURIComponent(pipe)}`
  }

  /** Where the channel is opened and dropped. */
  channelPath(channel: string): string {
    return `/v2/streaming/${this.#pipe}/channels/${encodeURIComponent(channel)}`
  }

  async request(method: string, path: string, init: RequestInit = {}): Promise<StreamingAnswer> {
    const response = await fetch(this.#url + path, { method, ...init })
    const text = await response.text()
    let body: Readonly<Record<string, unknown>> = {}
    try {
      body = JSON.parse(text) as Readonly<Record<string, unknown>>
    } catch {
      // Host names and tokens are bare text.
    }
    return { status: response.status, text, body }
  }

  keyPairHeaders(): Record<string, string> {
    return {
      accept: 'application/json',
      authorization: `Bearer ${this.#jwt}`,
      'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
    }
  }

  scopedHeaders(): Record<string, string> {
    return {
      accept: 'application/json',
      authorization: `Bearer ${this.#scoped}`,
      'x-snowflake-authorization-token-type': 'OAUTH',
    }
  }

  /** Gets a scoped token and keeps it. */
  async authenticate(): Promise<string> {
    const answer = await this.request('POST', '/oauth/token', {
      headers: {
        ...this.keyPairHeaders(),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&scope=local',
    })
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
    this.#scoped = answer.text
    return answer.text
  }

  open(channel: string, body: object = {}): Promise<StreamingAnswer> {
    return this.request(
      'PUT',
      `/v2/streaming/${this.#pipe}/channels/${encodeURIComponent(channel)}`,
      {
        headers: { ...this.scopedHeaders(), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
    )
  }

  append({ channel, token, rows, start, end, headers }: AppendRequest): Promise<StreamingAnswer> {
    const query = new URLSearchParams({
      ...(start !== undefined && { startOffsetToken: start }),
      ...(end !== undefined && { endOffsetToken: end }),
      continuationToken: token,
    })
    const path = `/v2/streaming/data/${this.#pipe}/channels/${encodeURIComponent(channel)}/rows?${query.toString()}`
    return this.request('POST', path, {
      headers: { ...this.scopedHeaders(), 'content-type': 'application/x-ndjson', ...headers },
      body: rows,
    })
  }

  status(...channels: readonly string[]): Promise<StreamingAnswer> {
    return this.request('POST', `/v2/streaming/${this.#pipe}:bulk-channel-status`, {
      headers: { ...this.scopedHeaders(), 'content-type': 'application/json' },
      body: JSON.stringify({ channel_names: channels }),
    })
  }

  drop(channel: string): Promise<StreamingAnswer> {
    return this.request(
      'DELETE',
      `/v2/streaming/${this.#pipe}/channels/${encodeURIComponent(channel)}`,
      { headers: this.scopedHeaders() },
    )
  }
}
