// Requests that no client would send. Any answer is right but a 5xx and silence.
import { gzipSync } from 'node:zlib'
import type { Random } from '../../connector/api/clock.ts'
import type { StreamingClient } from '../support/streaming-client.ts'
import { zstdStored } from '../support/zstd-stored.ts'
import { pick } from './endpoint-channel.ts'

const PIPE = '/v2/streaming/databases/DB/schemas/S/pipes/T-STREAMING'
const DATA = '/v2/streaming/data/databases/DB/schemas/S/pipes/T-STREAMING'
const PATHS = [
  '/v2/streaming/hostname',
  '/oauth/token',
  `${PIPE}:pipe-info`,
  `${PIPE}:bulk-channel-status`,
  `${PIPE}:%00`,
  `${PIPE}/channels/garbage`,
  `${DATA}/channels/garbage/rows?continuationToken=x`,
  `${DATA}/channels/garbage/filebuffer?continuationToken=x`,
  `${DATA}/channels/ELASTIC/filebuffer`,
  `${DATA}/channels/%ff/rows`,
  '/v2/streaming/databases/%22/schemas/S/pipes/T',
  '/v2/streaming/data/databases/DB/schemas/S/tables/NONE/rows',
  '/stage/DB/S/x/0.ndjson',
  '/stage/%',
  '/telemetry/send/sessionless',
  '/session/v1/login-request',
  '/queries/v1/query-request',
  '/polaris/api/catalog/v1/config?warehouse=DB',
  '/../../etc/passwd',
  '//',
]
const JSON_BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '{"channel_names":["c0",1,null,"ELASTIC"]}',
  '{"channel_names":"c0"}',
  '{"fail_on_uncommitted_rows":"yes","offset_token":7}',
  '{"__proto__":{"x":1},"constructor":1}',
  '[{"file_path":"stage/../../x","file_etag":"x","fragment_start_byte_offset":0,"fragment_length_bytes":1e300,"iv_base64":"AAAAAAAAAAAAAAAAAAAAAA==","encryption_version":"AES-CTR-128.1"}]',
  'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c',
  '['.repeat(20_000),
]
const HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/x-ndjson'],
  ['content-encoding', 'zstd'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'br, zstd'],
  ['content-encoding', 'aws-chunked'],
  ['accept', '*/*'],
  ['x-snowflake-authorization-token-type', 'JWT'],
  ['x-snowflake-authorization-token-type', 'KEYPAIR_JWT'],
  ['x-snowflake-authorization-token-type', 'MAGIC'],
  ['x-amz-security-token', 'x'],
  ['host', 'a:b:c'],
]

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token that must not be let in: cut, changed, of no algorithm, of no claims. */
function badToken(good: string, random: Random): string {
  const [head = '', claims = '', signature = ''] = good.split('.')
  return pick(
    [
      '',
      '..',
      'a.b.c',
      `${head}.${claims}.`,
      `${head}.${claims}`,
      `${part({ alg: 'none' })}.${claims}.`,
      `${part({ alg: 'HS256' })}.${claims}.${signature}`,
      `${head}.${part({ sub: 'PIPE', exp: 'x' })}.${signature}`,
      `${part(null)}.${part([])}.${signature}`,
      `${head}.${claims}.${signature.slice(0, -2)}`,
      good.repeat(30),
    ],
    random,
  )
}

/** Bytes of a good body with a few of them changed, cut or doubled. */
function mutated(random: Random): Uint8Array<ArrayBuffer> {
  const text = Buffer.from('{"C":"garbage","N":1}\n'.repeat(1 + Math.floor(random() * 50)))
  const packed = pick([text, zstdStored(text), gzipSync(text)], random)
  const bytes = new Uint8Array(packed)
  for (let times = Math.floor(random() * 4); times >= 0; times--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
  return bytes.slice(0, random() < 0.5 ? bytes.length : Math.floor(random() * bytes.length))
}

export class Garbage {
  readonly #client: StreamingClient
  readonly #random: Random
  readonly #wrong: (what: string) => void

  constructor(client: StreamingClient, random: Random, wrong: (what: string) => void) {
    this.#client = client
    this.#random = random
    this.#wrong = wrong
  }

  /** Rows of channel `garbage` whose bytes were spoilt on the way, with its own good token. */
  async spoiltBody(): Promise<void> {
    const opened = await this.#client.open('garbage')
    const encoding = pick(['gzip', 'zstd', 'identity'], this.#random)
    const answer = await this.#client.append({
      channel: 'garbage',
      token: String(opened.body['next_continuation_token']),
      rows: mutated(this.#random),
      end: '1',
      headers: { 'content-encoding': encoding },
    })
    if (![200, 400, 413].includes(answer.status))
      this.#wrong(`spoilt ${encoding} body: ${answer.status} ${answer.text}`)
  }

  async request(): Promise<void> {
    const random = this.#random
    const method = pick(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'], random)
    const path = pick(PATHS, random)
    const headers = new Headers(this.#client.scopedHeaders())
    for (let times = Math.floor(random() * 3); times > 0; times--)
      headers.set(...pick(HEADERS, random))
    if (random() < 0.2) headers.delete(pick(['accept', 'authorization'], random))
    const hasBody = method !== 'GET'
    const body = random() < 0.3 ? mutated(random) : pick(JSON_BODIES, random)
    const answer = await this.#client.request(method, path, {
      headers,
      ...(hasBody && { body }),
      signal: AbortSignal.timeout(10_000),
    })
    if (answer.status >= 500)
      this.#wrong(
        `${method} ${path} ${String(body).slice(0, 100)}: ${answer.status} ${answer.text}`,
      )
  }

  /** Nobody gets in with a token that was tampered with. */
  async token(): Promise<void> {
    const headers =
      this.#random() < 0.5 ? this.#client.scopedHeaders() : this.#client.keyPairHeaders()
    const good = String(headers['authorization']).slice('Bearer '.length)
    const answer = await this.#client.request('POST', `${PIPE}:bulk-channel-status`, {
      headers: { ...headers, authorization: `Bearer ${badToken(good, this.#random)}` },
      body: '{"channel_names":[]}',
    })
    if (answer.status !== 401 && answer.status !== 431)
      this.#wrong(`bad token: ${answer.status} ${answer.text}`)
  }
}
