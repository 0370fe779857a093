import { describe, expect, test } from 'vitest'
import type { ClientConfig } from '../../../connector/kafka/client.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { ByteBudget } from '../../../connector/runtime/byte-budget.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script } from '../../support/test-plugins.ts'
import { makeTask, testServices } from '../../support/test-services.ts'

const BUDGET = 16 * 1024 * 1024
const FLOOR = 512 * 1024

describe('The worker’s byte budget', () => {
  test('says of a share how much of it there was no room for', () => {
    const budget = new ByteBudget(2 * FLOOR)
    const shares = [budget.claim(1), budget.claim(1), budget.claim(1)]
    expect(shares.map(({ bytes }) => bytes)).toEqual([FLOOR, FLOOR, FLOOR])
    expect(shares.map(({ overdrawnBytes }) => overdrawnBytes)).toEqual([0, 0, FLOOR])
    for (const share of shares) share.release()
    expect(budget.freeBytes).toBe(2 * FLOOR)
  })

  test('bounds what the consumers of all its sink tasks prefetch, and is whole again when they are gone', async () => {
    const clock = new FakeClock()
    const kafka = new FakeKafka({ topics: { t: 1 } })
    const configs: ClientConfig[] = []
    const consumer = kafka.consumer.bind(kafka)
    kafka.consumer = (config, events) => {
      configs.push(config)
      return consumer(config, events)
    }
    const services = testServices({
      kafka,
      script: new Script(),
      clock,
      properties: { 'consumer.buffer.bytes': String(BUDGET) },
    })
    const tasks: WorkerTask[] = []
    for (let count = 0; count < 20; count++) tasks.push((await makeTask('sink', services)).task)
    const shares = configs.map((config) => Number(config['queued.max.messages.kbytes']) * 1024)
    expect(shares).toHaveLength(20)
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(FLOOR)
    expect(shares[0]).toBe(BUDGET / 2)
    // Beyond the budget is only what a consumer needs to work at all.
    const floors = shares.filter((share) => share === FLOOR).length
    const total = shares.reduce((sum, share) => sum + share, 0)
    expect(total).toBeLessThanOrEqual(BUDGET + floors * FLOOR)
    for (const task of tasks) {
      task.cancel()
      await task.run()
    }
    expect(services.consumerBudget.freeBytes).toBe(BUDGET)
  })
})
