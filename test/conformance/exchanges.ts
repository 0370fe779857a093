// Recorded exchanges with a Kafka Connect worker: one JSON object a line, gzipped or not.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A request to a worker and what it answered. */
export interface Exchange {
  /** Which worker of the recording: its mode and options, as text. */
  readonly worker: string
  readonly section: string
  readonly id: string
  readonly method: string
  readonly path: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody: string | undefined
  readonly answer: Answer
}

/** Header names are in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Line {
  readonly worker: string
  readonly section: string
  readonly id: string
  readonly method: string
  readonly path: string
  readonly request_headers?: Readonly<Record<string, string>> | null
  readonly request_body?: string | null
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

const GOLDEN = path.resolve(import.meta.dirname, '../fixtures/connect-rest-golden.jsonl.gz')
const GZIP = Buffer.from([0x1f, 0x8b])

/** The exchanges of a file, in their order; by default those of Apache Kafka Connect 4.3.1 in test/fixtures. */
export function readExchanges(file: string = GOLDEN): readonly Exchange[] {
  const bytes = readFileSync(file)
  const text = (bytes.subarray(0, 2).equals(GZIP) ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => exchange(JSON.parse(line) as Line))
}

const exchange = (line: Line): Exchange => ({
  worker: line.worker,
  section: line.section,
  id: line.id,
  method: line.method,
  path: line.path,
  requestHeaders: line.request_headers ?? {},
  requestBody: line.request_body ?? undefined,
  answer: {
    status: line.status,
    headers: lowerCased(line.headers),
    body: line.body ?? '',
  },
})

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** What makes an exchange the same question in two recordings. */
export const questionOf = ({ section, id, method, path: target, requestBody }: Exchange): string =>
  JSON.stringify([section, id, method, target, requestBody ?? ''])
