// One channel as its client knows it: which rows must be in the table once everything is committed, and nothing else.
import { gzipSync } from 'node:zlib'
import type { Random } from '../../connector/api/clock.ts'
import type { StreamingAnswer, StreamingClient } from '../support/streaming-client.ts'
import { zstdStored } from '../support/zstd-stored.ts'

interface Batch {
  readonly end: string
  readonly numbers: readonly number[]
  readonly parsed: number
}

interface Body {
  readonly text: string
  readonly numbers: readonly number[]
  readonly parsed: number
}

type Say = (what: string) => void

const BAD_ROWS = [
  '{"N":1}',
  '{"C":null,"N":1}',
  '{"C":"x","N":"one"}',
  '{"C":"x","N":1e99}',
  '{"C":"x","NOPE":1}',
  '{"C":"x","N":1',
  '[1]',
  '"text"',
  '{"C":"x","c":"y"}',
  '{"C":"\\ud800"}',
  '{"C":"x","B":1}',
  '{"C":"x","L":[1,"two"]}',
  'null',
  '}{',
  '\u0000',
]

export const pick = <T>(items: readonly T[], random: Random): T => {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new TypeError('Nothing to pick from.')
  return item
}

/** See the head of this file. `wrong` is told of every answer that the model does not allow. */
export class FuzzChannel {
  readonly name: string
  readonly #client: StreamingClient
  readonly #random: Random
  readonly #wrong: Say
  #token: string | undefined
  /** The token that was used up last. */
  #spent: string | undefined
  #older: string[] = []
  #next = 0
  /** Of this life of the channel, in order. */
  #batches: Batch[] = []
  /** Of lives that ended in a drop: their rows stay. */
  readonly #kept: number[] = []

  constructor(name: string, client: StreamingClient, random: Random, wrong: Say) {
    this.name = name
    this.#client = client
    this.#random = random
    this.#wrong = wrong
  }

  /** What `N` must be in the table, ascending. */
  numbers(): readonly number[] {
    return [...this.#kept, ...this.#batches.flatMap(({ numbers }) => numbers)]
  }

  /** What the status must say: committed token, rows inserted and rows refused. */
  expected(): readonly [string | null, number, number] {
    const inserted = this.#batches.reduce((sum, { numbers }) => sum + numbers.length, 0)
    const parsed = this.#batches.reduce((sum, batch) => sum + batch.parsed, 0)
    return [this.#batches.at(-1)?.end ?? null, inserted, parsed - inserted]
  }

  async open(): Promise<void> {
    const answer = await this.#client.open(this.name, {})
    if (answer.status !== 200) {
      this.#wrong(`open of ${this.name}: ${answer.status} ${answer.text}`)
      return
    }
    const status = answer.body['channel_status'] as Readonly<Record<string, unknown>>
    const committed = status['last_committed_offset_token'] as string | null
    const last = this.#batches.findIndex(({ end }) => end === committed)
    if (committed !== null && last === -1)
      this.#wrong(`open of ${this.name} gave a token that nobody sent: ${committed}`)
    // What was not committed is gone, and only that.
    this.#batches = this.#batches.slice(0, last + 1)
    if (this.#token !== undefined) this.#older.push(this.#token)
    if (this.#spent !== undefined) this.#older.push(this.#spent)
    this.#older = this.#older.slice(-20)
    this.#spent = undefined
    this.#token = String(answer.body['next_continuation_token'])
  }

  async append(): Promise<void> {
    if (this.#token === undefined) await this.open()
    const body = this.#body()
    const end = `${this.#next}`
    const answer = await this.#send(this.#token ?? '', body.text, end)
    if (answer.status !== 200) {
      this.#wrong(`append to ${this.name}: ${answer.status} ${answer.text}`)
      return
    }
    this.#spent = this.#token
    this.#token = String(answer.body['next_continuation_token'])
    this.#batches.push({ end, ...body })
  }

  /** The last token once more, with another body: it is acknowledged, and none of it is taken. */
  async repeat(): Promise<void> {
    if (this.#spent === undefined) return
    const answer = await this.#send(this.#spent, this.#body().text, `${this.#next}`)
    if (answer.status !== 200 || answer.body['next_continuation_token'] !== this.#token)
      this.#wrong(`repeat to ${this.name}: ${answer.status} ${answer.text}`)
  }

  /** A token that is not to be taken: of an earlier open, of somebody else, changed or made up. */
  async refused(foreign: string): Promise<void> {
    const { body } = await this.#client.status(this.name)
    if (body['channel_statuses'] === undefined) return
    const changed = (this.#token ?? foreign).split('')
    changed[Math.floor(this.#random() * changed.length)] = pick(
      ['A', 'z', '9', '-', '_', '~'],
      this.#random,
    )
    const token = pick([foreign, '', 'x', changed.join(''), ...this.#older], this.#random)
    if (token === this.#token || token === this.#spent) return
    const answer = await this.#send(token, this.#body().text, 'nobody')
    const isSame =
      decoded(token) === decoded(this.#token) || decoded(token) === decoded(this.#spent)
    if (answer.status === 200 && isSame) return this.#resync(answer)
    if (answer.status < 400 || answer.status >= 500)
      this.#wrong(`token ${token} to ${this.name}: ${answer.status} ${answer.text}`)
    // A token of the future makes the channel invalid.
    if (JSON.stringify(answer.body).includes('ROW_SEQ_GAP')) await this.open()
  }

  /** A changed text that means the same token: its rows are in, or it was a repeat. */
  async #resync(answer: StreamingAnswer): Promise<void> {
    if (answer.body['next_continuation_token'] === this.#token) return
    this.#wrong(`a changed token of ${this.name} was taken: ${answer.text}`)
    await this.open()
  }

  async drop(): Promise<void> {
    const answer = await this.#client.request('DELETE', this.#client.channelPath(this.name), {
      headers: this.#client.scopedHeaders(),
      body: '{"fail_on_uncommitted_rows":true}',
    })
    if (answer.status === 409 || answer.status === 404) return
    if (answer.status !== 200) this.#wrong(`drop of ${this.name}: ${answer.status} ${answer.text}`)
    this.#kept.push(...this.#batches.flatMap(({ numbers }) => numbers))
    this.#batches = []
    this.#token = undefined
    this.#spent = undefined
  }

  #send(token: string, text: string, end: string): Promise<StreamingAnswer> {
    const raw = Buffer.from(text)
    const encoding = pick(['', 'gzip', 'zstd'] as const, this.#random)
    const rows =
      encoding === 'gzip'
        ? new Uint8Array(gzipSync(raw))
        : encoding === 'zstd'
          ? zstdStored(raw)
          : new Uint8Array(raw)
    return this.#client.append({
      channel: this.#random() < 0.1 ? this.name.toUpperCase() : this.name,
      token,
      rows,
      start: end,
      end,
      headers: encoding === '' ? {} : { 'content-encoding': encoding },
    })
  }

  #body(): Body {
    const random = this.#random
    const lines: string[] = []
    const numbers: number[] = []
    let parsed = 0
    for (let count = Math.floor(random() * 6); count >= 0; count--) {
      const kind = random()
      if (kind < 0.15) lines.push(pick(['', ' ', '\r', '\t'], random))
      else if (kind < 0.35) {
        lines.push(pick(BAD_ROWS, random))
        parsed++
      } else {
        const n = this.#next++
        numbers.push(n)
        lines.push(goodRow(this.name, n, random))
        parsed++
      }
    }
    this.#next++
    return { text: lines.join('\n') + (random() < 0.8 ? '\n' : ''), numbers, parsed }
  }
}

/** A continuation token's bytes: several texts of base64 mean the same. */
const decoded = (token: string | undefined): string =>
  Buffer.from(token ?? '', 'base64url').toString('hex')

function goodRow(channel: string, n: number, random: Random): string {
  const c = JSON.stringify(channel)
  return pick(
    [
      `{"C":${c},"N":${n}}`,
      `{ "c" : ${c}, "n" : "${n}" }`,
      `{"C":${c},"N":${n}.0,"B":true,"D":"2024-02-29","L":[1,null]}`,
      `{"N":${n},"D":null,"C":${c},"F":"NaN","M":1.005}\r`,
      `{"N":${n}e0,"C":${c},"F":-0.0,"T":"2024-01-01 00:00:00","X":"AQID"}`,
    ],
    random,
  )
}
