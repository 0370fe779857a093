import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ApiError } from '../../../../../connector/local/snowflake/errors.ts'
import { type IngestStage, makeIngest, rowsOf } from '../../../../support/table-ingest.ts'

type Step =
  | {
      readonly kind: 'append'
      readonly writer: number
      readonly rows: number
      readonly lost: boolean
    }
  | { readonly kind: 'reopen'; readonly writer: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'failedCommit' }
  | { readonly kind: 'crash'; readonly committing: boolean }

const WRITERS = 3
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        writer: fc.nat(WRITERS - 1),
        rows: fc.integer({ min: 1, max: 5 }),
        lost: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'failedCommit' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('reopen' as const), writer: fc.nat(WRITERS - 1) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('crash' as const), committing: fc.boolean() }),
    },
  ),
  { maxLength: 60 },
)

/** A client as snowpipe-streaming §9 has it: repeats what it is not sure of, and on a stale token reopens and goes back. */
class Writer {
  readonly name: string
  #token = ''
  #next = 0

  constructor(name: string) {
    this.name = name
  }

  async open(stage: IngestStage): Promise<void> {
    const channel = await stage.ingest.open(stage.pipe, this.name, {
      offsetToken: undefined,
      failOnUncommittedRows: false,
    })
    this.#token = channel.nextToken()
    this.#next = channel.record.offsetToken === null ? 0 : Number(channel.record.offsetToken) + 1
  }

  async append(stage: IngestStage, step: { rows: number; lost: boolean }): Promise<void> {
    const from = this.#next
    const to = from + step.rows - 1
    const send = (): string =>
      stage.ingest.append(stage.pipe, this.name, {
        continuationToken: this.#token,
        startToken: String(from),
        endToken: String(to),
        bytes: rowsOf(this.name, from, to),
      })
    try {
      if (step.lost) send()
      this.#token = send()
      this.#next = to + 1
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      await this.open(stage)
    }
  }
}

function check(stage: IngestStage): void {
  const tokens = stage.pipe.all().map(({ record }) => [record.name, record.offsetToken] as const)
  for (const [name, token] of tokens) {
    const numbers = stage.table.rows.filter((row) => row['C'] === name).map((row) => row['N'])
    const count = token === null ? 0 : Number(token) + 1
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n))
  }
}

async function run(schedule: readonly Step[]): Promise<void> {
  const stage = await makeIngest()
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`))
  await Promise.all(writers.map((writer) => writer.open(stage)))
  for (const step of schedule) {
    if (step.kind === 'append') await writers[step.writer]?.append(stage, step)
    else if (step.kind === 'reopen') await writers[step.writer]?.open(stage)
    else if (step.kind === 'commit') await stage.ingest.flush()
    else if (step.kind === 'failedCommit') {
      stage.warehouse.beforeCommit = () => Promise.reject(new Error('no space left on device'))
      await stage.ingest.flush().catch(() => undefined) // Nothing waits, or it failed as asked.
      stage.warehouse.beforeCommit = () => Promise.resolve()
    } else {
      // Killed in the middle of a commit: it is durable or not, and nobody in this process learns which.
      const dying = step.committing ? stage.ingest.flush() : undefined
      stage.restart()
      await dying
      stage.restart()
    }
    check(stage)
  }
  await Promise.all(writers.map((writer) => writer.append(stage, { rows: 1, lost: false })))
  await Promise.all(writers.map((writer) => writer.append(stage, { rows: 1, lost: false })))
  await stage.ingest.flush()
  check(stage)
}

test('after any schedule of appends, lost answers, reopens, failed commits and crashes the rows are those up to the tokens', async () => {
  await fc.assert(fc.asyncProperty(steps, run), { numRuns: 200 })
})
