import { describe, expect, test } from 'vitest'
import { ByteBudget } from '../../../../../connector/local/snowflake/streaming/byte-budget.ts'
import { PROFILES } from '../../../../../connector/local/snowflake/streaming/commit-loop.ts'
import { Ingests, type Pipe } from '../../../../../connector/local/snowflake/streaming/ingests.ts'
import { recordingLog } from '../../../../support/recording-log.ts'
import { type IngestStage, makeIngest, rowsOf, TABLE } from '../../../../support/table-ingest.ts'

async function setUp(): Promise<{ stage: IngestStage; ingests: Ingests; budget: ByteBudget }> {
  const stage = await makeIngest()
  const budget = new ByteBudget(1_000_000)
  const ingests = new Ingests(
    {
      warehouse: stage.warehouse,
      clock: stage.clock,
      log: recordingLog(),
      limits: undefined,
      budget,
      tableBudget: () => new ByteBudget(1_000_000),
      beforeCommit: () => Promise.resolve(),
      errorLog: { append: () => Promise.resolve() },
    },
    { random: () => 0.5, timing: PROFILES.fast },
  )
  return { stage, ingests, budget }
}

async function openAndAppend({ ingest, channels }: Pipe): Promise<void> {
  const channel = await ingest.open(channels, 'c', {
    offsetToken: undefined,
    failOnUncommittedRows: false,
  })
  ingest.append(channels, 'c', {
    continuationToken: channel.nextToken(),
    startToken: null,
    endToken: '4',
    bytes: rowsOf('c', 0, 4),
  })
}

describe('Ingests', () => {
  test('goes on committing to a table that could not be dropped', async () => {
    const { stage, ingests, budget } = await setUp()
    const pipe = ingests.tablePipe(TABLE)
    await openAndAppend(pipe)
    const drop = ingests.drop(stage.table, () => {
      pipe.ingest.appendElastic(pipe.channels, rowsOf('during', 0, 0))
      return Promise.reject(new Error('no space left on device'))
    })
    await expect(drop).rejects.toThrow('no space')
    expect(pipe.channels.get('c')?.statusCode).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    await stage.clock.advance(2_000)
    expect(stage.table.rows.map((row) => row['C'])).toEqual(['during'])
    expect(ingests.tablePipe(TABLE).ingest).toBe(pipe.ingest)
    await openAndAppend(pipe)
    await stage.clock.advance(2_000)
    expect(stage.table.rows).toHaveLength(6)
    expect(budget.used).toBe(0)
    await ingests.close()
  })

  test('throws away what waits for a table that is dropped', async () => {
    const { stage, ingests, budget } = await setUp()
    const pipe = ingests.tablePipe(TABLE)
    await openAndAppend(pipe)
    const before = stage.table.version
    await ingests.drop(stage.table, () => {
      pipe.ingest.appendElastic(pipe.channels, rowsOf('during', 0, 0))
      return Promise.resolve()
    })
    await stage.clock.advance(2_000)
    expect(stage.table.version).toBe(before)
    expect(budget.used).toBe(0)
    await ingests.close()
  })
})
