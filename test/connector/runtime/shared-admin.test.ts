import { beforeEach, describe, expect, test } from 'vitest'
import type { Props } from '../../../connector/api/task-context.ts'
import type { Admin, ClientConfig } from '../../../connector/kafka/client.ts'
import { sharedAdmin } from '../../../connector/runtime/shared-admin.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script } from '../../support/test-plugins.ts'
import { testServices } from '../../support/test-services.ts'

let kafka: FakeKafka
let made: ClientConfig[]
let closed: string[]
let admin: (connector?: Props) => Promise<Admin>

beforeEach(() => {
  kafka = new FakeKafka()
  made = []
  closed = []
  const create = kafka.admin.bind(kafka)
  kafka.admin = (config, events) => {
    made.push(config)
    const client = create(config, events)
    client.close = () => {
      closed.push(String(config['sasl.username']))
      return Promise.resolve()
    }
    return client
  }
  admin = sharedAdmin(testServices({ kafka, script: new Script(), clock: new FakeClock() }))
})
const as = (user: string): Props => ({ name: 'x', 'admin.override.sasl.username': user })

describe('The worker’s admin clients', () => {
  test('are one for all connectors without overrides', async () => {
    expect(await admin()).toBe(await admin({ name: 'a', 'producer.override.acks': '1' }))
    expect(made).toHaveLength(1)
    expect(made[0]?.['client.id']).toBe('connector-adminclient')
  })

  test('are of their own for connectors with overrides, one for equal ones', async () => {
    const worker = await admin()
    const first = await admin(as('alice'))
    expect(first).not.toBe(worker)
    expect(await admin({ ...as('alice'), name: 'y' })).toBe(first)
    expect(await admin(as('bob'))).not.toBe(first)
    expect(made.map((config) => config['sasl.username'])).toEqual([undefined, 'alice', 'bob'])
    expect(new Set(made.map((config) => config['client.id'])).size).toBe(3)
  })

  test('are bounded: the one that was not used for longest is closed, never the worker’s own', async () => {
    await admin()
    for (let n = 0; n < 16; n++) await admin(as(`user${n}`))
    await admin(as('user0'))
    expect(closed).toEqual([])
    await admin(as('one more'))
    await settled()
    expect(closed).toEqual(['user1'])
    expect(await admin()).toBe(await admin())
    expect(made.filter((config) => config['sasl.username'] === undefined)).toHaveLength(1)
  })

  test('that could not connect are tried again by the next who asks', async () => {
    kafka.faults.isDown = true
    await expect(admin(as('alice'))).rejects.toThrow('connect')
    kafka.release()
    await expect(admin(as('alice'))).resolves.toBeDefined()
  })
})
