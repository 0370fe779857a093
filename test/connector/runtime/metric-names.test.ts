// Every attribute of Kafka Connect 4.3.1's MBeans that belong to workers, connectors and tasks, as a running worker showed
// them over JMX: here it is under the name that the Prometheus rules of Strimzi and of the JMX exporter make of it, or the
// table says why not.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import type { WorkerServices } from '../../../connector/runtime/worker-services.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script, textRecord } from '../../support/test-plugins.ts'
import { makeTask, testServices } from '../../support/test-services.ts'

const ATTRIBUTES: Readonly<Record<string, string>> = {
  'connect-worker-metrics': `connector-count connector-startup-attempts-total
    connector-startup-failure-percentage connector-startup-failure-total
    connector-startup-success-percentage connector-startup-success-total task-count
    task-startup-attempts-total task-startup-failure-percentage task-startup-failure-total
    task-startup-success-percentage task-startup-success-total connector-destroyed-task-count
    connector-failed-task-count connector-paused-task-count connector-restarting-task-count
    connector-running-task-count connector-total-task-count connector-unassigned-task-count`,
  'connector-metrics': 'connector-class connector-type connector-version status',
  'connector-task-metrics': `batch-size-avg batch-size-max connector-class connector-type
    connector-version header-converter-class header-converter-version key-converter-class
    key-converter-version offset-commit-avg-time-ms offset-commit-failure-percentage
    offset-commit-max-time-ms offset-commit-success-percentage pause-ratio running-ratio status
    task-class task-version value-converter-class value-converter-version`,
  'sink-task-metrics': `offset-commit-completion-rate offset-commit-completion-total
    offset-commit-seq-no offset-commit-skip-rate offset-commit-skip-total partition-count
    put-batch-avg-time-ms put-batch-max-time-ms sink-record-active-count
    sink-record-active-count-avg sink-record-active-count-max sink-record-read-rate
    sink-record-read-total sink-record-send-rate sink-record-send-total`,
  'source-task-metrics': `poll-batch-avg-time-ms poll-batch-max-time-ms source-record-active-count
    source-record-active-count-avg source-record-active-count-max source-record-poll-rate
    source-record-poll-total source-record-write-rate source-record-write-total`,
  'task-error-metrics': `deadletterqueue-produce-failures deadletterqueue-produce-requests
    last-error-timestamp total-errors-logged total-record-errors total-record-failures
    total-records-skipped total-retries`,
}

/** Where the rules of Strimzi make another name than `kafka_connect_<group>_<attribute>`. */
const RENAMED: Readonly<Record<string, string>> = {
  'connector-metrics/status': 'kafka_connect_connector_status',
  'connector-metrics/connector-class': 'kafka_connect_connector_connector_class',
  'connector-metrics/connector-type': 'kafka_connect_connector_connector_type',
  'connector-metrics/connector-version': 'kafka_connect_connector_connector_version',
  'connector-task-metrics/status': 'kafka_connect_connector_task_status',
}

/** What is not here, by how the attribute ends. */
const ABSENT: readonly (readonly [RegExp, reason: string])[] = [
  [/-rate$/, 'rate() of the total says it, over any time'],
  [/-active-count-(avg|max)$/, 'avg_over_time() and max_over_time() of the count say it'],
  [/^connector-task-metrics\/(pause|running)-ratio$/, 'avg_over_time() of the task status says it'],
  [
    /^connector-task-metrics\/connector-(class|type|version)$/,
    'the connector has them; its name joins them',
  ],
  [
    /^connector-task-metrics\/(task|key-converter|value-converter|header-converter)-(class|version)$/,
    'neither Strimzi’s rules nor the JMX exporter’s turn these texts into metrics',
  ],
]

const nameOf = (group: string, attribute: string): string =>
  RENAMED[`${group}/${attribute}`] ??
  `kafka_connect_${group.replace(/^connect-/, '').replace(/-metrics$/, '')}_${attribute}`.replaceAll(
    '-',
    '_',
  )

let services: WorkerServices
let tasks: WorkerTask[]

beforeEach(async () => {
  const kafka = new FakeKafka({ topics: { t: 1 } })
  const script = new Script()
  script.batches.push([textRecord('a', 1)])
  const clock = new FakeClock()
  services = testServices({ kafka, script, clock })
  services.metrics.observe(() => [
    {
      className: 'TestSink',
      version: '1.0',
      status: {
        name: 'x',
        type: 'sink',
        state: 'RUNNING',
        workerId: '',
        trace: undefined,
        tasks: [
          { id: 0, state: 'RUNNING', workerId: '', trace: undefined, health: null, sinceMs: 0 },
        ],
      },
    },
  ])
  services.metrics.startups.task.attempted()
  services.metrics.startups.task.failed()
  tasks = []
  for (const kind of ['source', 'sink'] as const) {
    const { task } = await makeTask(kind, services)
    tasks.push(task)
    await task.initialize()
    for (let turn = 0; turn < 2; turn++) {
      if (kind === 'sink' || turn === 0) await task.iteration()
      await settled()
    }
    // Times are there once something was committed.
    await clock.advance(10_000)
    if (kind === 'sink') await task.iteration()
    await settled()
  }
})
afterEach(() => {
  for (const task of tasks) task.cancel()
})

test('Kafka Connect’s metrics are there under the names that dashboards know, or it is said why not', async () => {
  const text = await services.metrics.text()
  const series = new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name]) => name))
  const unexplained: string[] = []
  const needless: string[] = []
  for (const [group, attributes] of Object.entries(ATTRIBUTES)) {
    for (const attribute of attributes.split(/\s+/)) {
      const key = `${group}/${attribute}`
      const isExplained = ABSENT.some(([pattern]) => pattern.test(key))
      const isThere = series.has(nameOf(group, attribute))
      if (!isThere && !isExplained) unexplained.push(key)
      if (isThere && isExplained) needless.push(key)
    }
  }
  expect(unexplained).toEqual([])
  expect(needless).toEqual([])
})

test('starts are counted, and their shares', async () => {
  const text = await services.metrics.text()
  expect(text).toContain('\nkafka_connect_worker_task_startup_attempts_total 1\n')
  expect(text).toContain('\nkafka_connect_worker_task_startup_failure_percentage 1\n')
  expect(text).toContain('\nkafka_connect_worker_task_startup_success_total 0\n')
  expect(text).toContain('\nkafka_connect_worker_connector_startup_success_percentage 0\n')
})
