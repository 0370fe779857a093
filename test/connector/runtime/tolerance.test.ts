// Error stages × kinds of errors × errors.tolerance × errors.retry.timeout × log options, as Kafka Connect documents them.
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import {
  ConnectError,
  DataError,
  RetriableError,
  toMessage,
} from '../../../connector/api/errors.ts'
import type { ConsumerMessage } from '../../../connector/kafka/client.ts'
import { TaskMetricFamilies, TaskMetrics } from '../../../connector/runtime/task-metrics.ts'
import { SKIPPED, type Stage, ToleranceOperator } from '../../../connector/runtime/tolerance.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'

const MESSAGE: ConsumerMessage = {
  topic: 't',
  partition: 3,
  offset: 42,
  key: null,
  value: Buffer.from('secret'),
  headers: [],
  timestamp: 7,
  timestampType: 'CreateTime',
  size: 6,
}
const PLUGIN_STAGES = ['TRANSFORMATION', 'KEY_CONVERTER', 'VALUE_CONVERTER', 'HEADER_CONVERTER']
const CLIENT_STAGES = ['TASK_POLL', 'TASK_PUT', 'KAFKA_PRODUCE', 'KAFKA_CONSUME']
const ERRORS = {
  data: () => new DataError('bad data'),
  connect: () => new ConnectError('bad plugin'),
  retriable: () => new RetriableError('not now'),
  bug: () => new TypeError('x is not a function'),
}
const EXCEEDED = 'Tolerance exceeded in error handler'
const UNHANDLED = 'Unhandled exception in error handler'

interface Case {
  readonly stage: Stage
  readonly error: keyof typeof ERRORS
  readonly tolerance: 'none' | 'all'
  readonly retryTimeoutMs: number
  readonly logs: 'off' | 'on' | 'with messages'
  readonly outcome: 'skipped' | typeof EXCEEDED | typeof UNHANDLED
}

function expected(row: Omit<Case, 'outcome'>): Case['outcome'] {
  const isTolerable = PLUGIN_STAGES.includes(row.stage)
    ? row.error !== 'bug'
    : row.error === 'retriable'
  if (!isTolerable) return UNHANDLED
  return row.tolerance === 'all' ? 'skipped' : EXCEEDED
}

const CASES: readonly Case[] = [...PLUGIN_STAGES, ...CLIENT_STAGES].flatMap((stage) =>
  (Object.keys(ERRORS) as (keyof typeof ERRORS)[]).flatMap((error) =>
    (['none', 'all'] as const).flatMap((tolerance) =>
      [0, 2_000].flatMap((retryTimeoutMs) =>
        (['off', 'on', 'with messages'] as const).map((logs) => {
          const row = { stage: stage as Stage, error, tolerance, retryTimeoutMs, logs }
          return { ...row, outcome: expected(row) }
        }),
      ),
    ),
  ),
)

function setUp(row: Omit<Case, 'stage' | 'error' | 'outcome'>) {
  const registry = new Registry()
  const clock = new FakeClock({ auto: true })
  const log = recordingLog()
  const reported: unknown[] = []
  const health: (string | null)[] = []
  const operator = new ToleranceOperator({
    config: {
      'errors.tolerance': row.tolerance,
      'errors.retry.timeout': row.retryTimeoutMs,
      'errors.retry.delay.max.ms': 60_000,
      'errors.log.enable': row.logs !== 'off',
      'errors.log.include.messages': row.logs === 'with messages',
    },
    taskId: 'x-0',
    callLimitMs: 1_000,
    clock,
    random: () => 0.5,
    log,
    metrics: new TaskMetrics(
      new TaskMetricFamilies(registry),
      { connector: 'x', task: '0' },
      clock,
    ),
    signal: new AbortController().signal,
    reporters: [
      (_context, error) => {
        reported.push(error)
        return Promise.resolve()
      },
    ],
    onRetrying: (message) => health.push(message),
  })
  const metric = async (name: string): Promise<number> => {
    const found = registry.getSingleMetric(`kafka_connect_task_error_${name}`)
    return (await found?.get())?.values[0]?.value ?? Number.NaN
  }
  return { clock, health, log, metric, operator, reported }
}

describe('ToleranceOperator', () => {
  test.each(CASES)(
    '$stage, $error error, tolerance $tolerance, retried for $retryTimeoutMs ms, log $logs: $outcome',
    async (row) => {
      const { clock, log, metric, operator, reported, health } = setUp(row)
      const context = { stage: row.stage, executingClass: 'Plugin', message: MESSAGE }
      let calls = 1
      const result = await operator
        .recover(context, ERRORS[row.error](), () => {
          calls++
          throw ERRORS[row.error]()
        })
        .catch((error: unknown) => error)
      const outcome = result === SKIPPED ? 'skipped' : toMessage(result).split(': ')[0]
      expect(outcome).toBe(row.outcome)

      // 300, 600, 1,200 ms, the last cut to what is left of the time.
      const isRetried = row.error === 'retriable' && row.retryTimeoutMs > 0
      const retries = isRetried ? 3 : 0
      expect(calls - 1).toBe(retries)
      expect(clock.sleepsMs).toEqual(isRetried ? [300, 600, 1_100] : [])
      expect(health.at(-1) ?? null).toBeNull()
      expect(health.length > 0).toBe(isRetried)

      const isReported = row.outcome !== UNHANDLED
      expect(reported).toHaveLength(isReported ? 1 : 0)
      const isLogged = isReported && row.logs !== 'off'
      expect(log.lines).toHaveLength(isLogged ? 1 : 0)
      const [line] = log.lines
      expect(
        line?.message.includes("topic='t', partition=3, offset=42, timestamp=7") ?? false,
      ).toBe(isLogged && row.logs === 'with messages')
      expect(JSON.stringify(log.lines)).not.toContain('secret')

      expect(await metric('total_retries')).toBe(retries)
      expect(await metric('total_record_failures')).toBe(retries + 1)
      expect(await metric('total_record_errors')).toBe(1)
      expect(await metric('total_records_skipped')).toBe(row.outcome === 'skipped' ? 1 : 0)
      expect(await metric('total_errors_logged')).toBe(isLogged ? 1 : 0)
      expect(await metric('last_error_timestamp')).toBe(isRetried ? 2_000 : 0)
    },
  )

  test('a retry that succeeds is no error', async () => {
    const { metric, operator } = setUp({ tolerance: 'none', retryTimeoutMs: 1_000, logs: 'on' })
    const context = { stage: 'VALUE_CONVERTER', executingClass: 'C', message: MESSAGE } as const
    expect(await operator.recover(context, new RetriableError('not now'), () => 'done')).toBe(
      'done',
    )
    expect(await metric('total_record_errors')).toBe(0)
    expect(await metric('total_retries')).toBe(1)
  })

  test('a converter that does not answer fails like one that throws', async () => {
    const { operator } = setUp({ tolerance: 'all', retryTimeoutMs: 0, logs: 'off' })
    const context = { stage: 'VALUE_CONVERTER', executingClass: 'C', message: MESSAGE } as const
    await expect(operator.answer(context, new Promise(() => {}))).rejects.toThrow(
      'VALUE_CONVERTER of task x-0 by C did not finish within 1000 ms',
    )
  })
})
