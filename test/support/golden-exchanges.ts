// Replays recorded exchanges of a Kafka Connect 4.3.1 worker and compares answers, whatever differs between two machines aside.
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'

export interface Exchange {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly answer: Answer
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly location?: string
  readonly body?: string
}

/** The exchanges of test/fixtures/connect-rest-standalone.jsonl, in their order. */
export const goldenExchanges = (): readonly Exchange[] =>
  readFileSync(
    path.resolve(import.meta.dirname, '../fixtures/connect-rest-standalone.jsonl'),
    'utf8',
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Exchange)

/** Sends an exchange's request as it was recorded: paths as they are, no header added. */
export function send(url: string, exchange: Exchange): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const { body, method } = exchange
  const target = exchange.path.split('#')[0] ?? '/'
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: target, headers: { ...exchange.headers, ...length } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const { location } = response.headers
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            ...(location !== undefined && { location }),
            body: Buffer.concat(chunks).toString('utf8'),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** An answer with addresses, versions, class names and traces made equal, and maps sorted. */
export const comparable = ({ status, type, location, body = '' }: Answer): string =>
  JSON.stringify([
    status,
    type.replace(/;.*/, ''),
    neutral(location ?? ''),
    canonical(neutral(body)),
  ])

const neutral = (text: string): string =>
  text
    .replace(
      /(Failed to find any class that implements Connector and which name matches [^ ]*, ).*/s,
      '$1…"}',
    )
    .replaceAll(/127\.0\.0\.1:\d+/g, 'worker')
    .replaceAll(/"(version|kafka_cluster_id|commit|task\.class)":("[^"]*"|null)/g, '"$1":"…"')
    .replaceAll(/"trace":"(\\.|[^"\\])*"/g, '"trace":"…"')

function canonical(text: string): unknown {
  try {
    return sorted(JSON.parse(text))
  } catch {
    return text // Not JSON: compared as it is.
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, item]) => [key, sorted(item)])
}
