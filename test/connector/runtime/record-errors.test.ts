import { afterEach, describe, expect, test } from 'vitest'
import { ConfigDef } from '../../../connector/api/config-def.ts'
import type { Converter } from '../../../connector/api/converter.ts'
import { DataError, RetriableError, toTrace } from '../../../connector/api/errors.ts'
import type { ConnectRecord } from '../../../connector/api/records.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { Transformation } from '../../../connector/api/transformation.ts'
import type { PluginDescriptor } from '../../../connector/runtime/plugins.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script, textRecord } from '../../support/test-plugins.ts'
import { makeTask, testServices } from '../../support/test-services.ts'

const COUNTED = ['First', 'Second', 'Third'] as const
const CHAIN = {
  transforms: 'a, b, c',
  'transforms.a.type': 'First',
  'transforms.b.type': 'com.example.Second',
  'transforms.c.type': 'com.example.Third',
} as const
const DLQ = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dlq',
  'errors.deadletterqueue.context.headers.enable': 'true',
} as const

type Thrown = Error | undefined

/** A worker's task with a chain of three that count their calls and fail when told, and such a converter. */
class Stage {
  readonly kafka = new FakeKafka({ topics: { t: 1, dlq: 1 } })
  readonly script = new Script()
  readonly clock = new FakeClock()
  readonly calls: Record<string, number> = {}
  /** By class: what its next calls throw. */
  readonly throws: Record<string, Thrown[]> = {}
  task: WorkerTask | undefined

  async make(kind: 'source' | 'sink', props: Props): Promise<WorkerTask> {
    const { kafka, script, clock } = this
    const services = testServices({ kafka, script, clock, plugins: this.#plugins() })
    const { task } = await makeTask(kind, services, props)
    this.task = task
    await task.initialize()
    return task
  }

  write(value: string): void {
    this.kafka.cluster.append({ topic: 't', partition: 0, key: null, value: Buffer.from(value) })
  }

  /** What a turn of the loop came to, with time for retries. */
  async turn(): Promise<unknown> {
    const turn = this.task?.iteration().catch((error: unknown) => error)
    await settled()
    await this.clock.advance(2_000)
    return turn
  }

  header(name: string): (string | undefined)[] {
    return this.kafka.messages('dlq').map(({ headers }) => {
      const found = headers.find(({ key }) => key === `__connect.errors.${name}`)
      return found?.value === undefined || found.value === null
        ? undefined
        : Buffer.from(found.value).toString()
    })
  }

  #call(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1
    const error = this.throws[name]?.shift()
    if (error !== undefined) throw error
  }

  #plugins(): readonly PluginDescriptor[] {
    const links = COUNTED.map((name) => {
      const transformation: Transformation = {
        configure: () => {},
        config: () => new ConfigDef({}),
        apply: <R extends ConnectRecord>(record: R): R => {
          this.#call(name)
          return record
        },
      }
      return {
        kind: 'transformation' as const,
        className: `com.example.${name}`,
        version: '1',
        create: () => Promise.resolve(transformation),
      }
    })
    const converter = (name: string, isAsked: boolean): PluginDescriptor => {
      const made: Converter = {
        configure: () => {},
        config: () => new ConfigDef({}),
        fromConnectData: (_topic, _headers, _schema, value) => {
          this.#call(name)
          return Buffer.from(String(value))
        },
        toConnectData: (_topic, _headers, value) => {
          if (isAsked) return Promise.resolve().then(() => (this.#call(name), text(value)))
          this.#call(name)
          return text(value)
        },
      }
      const className = `com.example.${name}Converter`
      return { kind: 'converter', className, version: '1', create: () => Promise.resolve(made) }
    }
    return [...links, converter('Counting', false), converter('Asking', true)]
  }
}

const text = (value: Uint8Array | null) => ({
  schema: null,
  value: value && Buffer.from(value).toString(),
})

let stage: Stage
const begin = (): Stage => {
  stage = new Stage()
  return stage
}
afterEach(() => stage.task?.cancel())

describe('A sink’s record', () => {
  test('that a link fails once is lost to that error: nothing is tried again that may not be', async () => {
    const { calls, throws, script } = begin()
    throws['Second'] = [new DataError('once')]
    stage.write('a')
    await stage.make('sink', CHAIN)
    expect(toTrace(await stage.turn())).toMatch(/Tolerance exceeded[^]*DataError: once/)
    expect(calls).toEqual({ First: 1, Second: 1 })
    expect(script.put).toEqual([])
  })

  test('that a link fails for a while is given to that link again, and to no other', async () => {
    const { calls, throws, script } = begin()
    throws['Second'] = [new RetriableError('not now'), new RetriableError('not yet')]
    stage.write('a')
    await stage.make('sink', { ...CHAIN, 'errors.retry.timeout': '60000' })
    expect(await stage.turn()).toBeUndefined()
    expect(script.put).toHaveLength(1)
    expect(calls).toEqual({ First: 1, Second: 3, Third: 1 })
  })

  test('that two links fail has each retried by itself', async () => {
    const { calls, throws, script } = begin()
    throws['First'] = [new RetriableError('not now')]
    throws['Third'] = [new RetriableError('not now')]
    stage.write('a')
    await stage.make('sink', { ...CHAIN, 'errors.retry.timeout': '60000' })
    await stage.turn()
    expect(script.put).toHaveLength(1)
    expect(calls).toEqual({ First: 2, Second: 1, Third: 2 })
  })

  test('goes through each converter and link once when a converter has to ask', async () => {
    const { calls, script } = begin()
    stage.write('a')
    await stage.make('sink', { ...CHAIN, 'value.converter': 'com.example.AskingConverter' })
    await stage.turn()
    expect(script.put.map(({ value }) => value)).toEqual(['a'])
    expect(calls).toEqual({ Asking: 1, First: 1, Second: 1, Third: 1 })
  })

  test.each(['Counting', 'Asking'])(
    'that the %s converter fails for a while is converted again, its key is not',
    async (name) => {
      const { calls, throws, script } = begin()
      throws[name] = [undefined, new RetriableError('registry is down')]
      stage.write('a')
      await stage.make('sink', {
        'key.converter': `com.example.${name}Converter`,
        'value.converter': `com.example.${name}Converter`,
        'errors.retry.timeout': '60000',
      })
      await stage.turn()
      expect(script.put.map(({ value }) => value)).toEqual(['a'])
      expect(calls).toEqual({ [name]: 3 })
    },
  )

  test('that failed is said to have failed in the class at fault, by its full name', async () => {
    const { throws } = begin()
    throws['First'] = [new DataError('bad')]
    throws['Second'] = [new DataError('bad')]
    throws['Counting'] = [undefined, undefined, new DataError('bad')]
    for (const value of ['a', 'b', 'c']) stage.write(value)
    await stage.make('sink', { ...CHAIN, ...DLQ, 'value.converter': 'Counting' })
    await stage.turn()
    await settled()
    expect(stage.header('class.name')).toEqual([
      'com.example.First',
      'com.example.Second',
      'com.example.CountingConverter',
    ])
  })

  test('that the task reports is said to have failed in SinkTask, as in Kafka Connect', async () => {
    const { script } = begin()
    script.onPut = async (records, { taskContext }) => {
      for (const record of records) {
        await taskContext.errantRecordReporter()?.report(record, new DataError('bad'))
      }
    }
    stage.write('a')
    await stage.make('sink', DLQ)
    await stage.turn()
    expect(stage.header('class.name')).toEqual(['org.apache.kafka.connect.sink.SinkTask'])
  })

  test('may fail by any error of a plugin that is no bug', async () => {
    const { throws, script } = begin()
    throws['First'] = [new Error('bad postcode')]
    stage.write('a')
    stage.write('b')
    await stage.make('sink', { ...CHAIN, 'errors.tolerance': 'all' })
    expect(await stage.turn()).toBeUndefined()
    expect(script.put.map(({ value }) => value)).toEqual(['b'])
  })

  test.each(
    [TypeError, ReferenceError, RangeError, SyntaxError].map((Bug) => ({ Bug, name: Bug.name })),
  )('fails the task by a $name, whatever is tolerated', async ({ Bug }) => {
    const { throws, calls } = begin()
    throws['First'] = [new Bug('oops')]
    stage.write('a')
    await stage.make('sink', { ...CHAIN, 'errors.tolerance': 'all' })
    expect(toTrace(await stage.turn())).toMatch(/Unhandled exception in error handler[^]*oops/)
    expect(calls).toEqual({ First: 1 })
  })
})

describe('A source’s record', () => {
  test('that a link fails for a while is given to that link again, and to no other', async () => {
    const { calls, throws, script, kafka } = begin()
    throws['Second'] = [new RetriableError('not now')]
    script.batches.push([textRecord('a', 1)])
    await stage.make('source', { ...CHAIN, 'errors.retry.timeout': '60000' })
    await stage.turn()
    await settled()
    expect(kafka.messages('t')).toHaveLength(1)
    expect(calls).toEqual({ First: 1, Second: 2, Third: 1 })
  })

  test('that failed is said to have failed in the class at fault, by its full name', async () => {
    const { throws, script, kafka } = begin()
    throws['Third'] = [new DataError('bad')]
    throws['Counting'] = [new DataError('bad')]
    kafka.deliveryError = ({ topic }) => (topic === 't' ? new DataError('too large') : undefined)
    script.batches.push([textRecord('a', 1), textRecord('b', 2), textRecord('c', 3)])
    await stage.make('source', { ...CHAIN, ...DLQ, 'value.converter': 'Counting' })
    await stage.turn()
    await settled()
    expect(stage.header('class.name')).toEqual([
      'com.example.Third',
      'com.example.CountingConverter',
      'org.apache.kafka.connect.runtime.WorkerSourceTask',
    ])
  })
})
