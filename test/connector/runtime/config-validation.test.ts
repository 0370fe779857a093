import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestWorker, SINK, SOURCE, type TestWorker } from '../../support/test-worker.ts'

let worker: TestWorker
beforeAll(async () => {
  worker = await startTestWorker()
})
afterAll(() => worker.stop())

/** The errors of a configuration by key. */
async function errors(config: Record<string, string | null>): Promise<Record<string, string[]>> {
  const { configs } = await worker.herder.validate(config)
  return Object.fromEntries(
    configs.flatMap(({ value }) =>
      value.errors.length > 0 ? [[value.name, [...value.errors]]] : [],
    ),
  )
}

describe('validateConfig finds what Kafka Connect finds only when tasks start', () => {
  test.each([
    [
      { 'topic.creation.default.partitions': '0' },
      {
        'topic.creation.default.partitions': ['Number of partitions must be positive'],
        'topic.creation.default.replication.factor': ['Missing required configuration'],
      },
    ],
    [
      {
        'topic.creation.groups': 'g',
        'topic.creation.default.partitions': '1',
        'topic.creation.default.replication.factor': '-1',
        'topic.creation.g.include': '(',
        'topic.creation.h.partitions': '1',
      },
      {
        'topic.creation.g.include': ['Invalid regex'],
        'topic.creation.h.partitions': ['belongs to group h'],
      },
    ],
    [
      {
        transforms: 'a',
        'transforms.a.type': 'org.apache.kafka.connect.transforms.DropHeaders',
        'transforms.a.headers': 'h',
        'transforms.a.predicate': 'p',
      },
      { 'transforms.a.predicate': ['There is no predicate of that alias'] },
    ],
    [{ greeting: '${nope:a:b}' }, { greeting: ['There is no config provider of that name'] }],
    [{ 'producer.override.linger.ms': 'abc' }, { 'producer.override.linger.ms': ['linger.ms'] }],
    [{ name: 'a\ud800' }, { name: ['unpaired surrogates'] }],
  ] as [Record<string, string>, Record<string, string[]>][])('%j', async (config, expected) => {
    const found = await errors({ ...SOURCE, ...config })
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
    for (const [key, texts] of Object.entries(expected)) {
      expect(found[key]?.join()).toContain(texts.join())
    }
  })

  test('and only for what a kind of connector uses', async () => {
    expect(await errors({ ...SINK, 'topic.creation.default.partitions': '0' })).toEqual({})
    expect(await errors({ ...SOURCE, 'consumer.override.max.poll.records': 'x' })).toEqual({})
  })
})

describe('validateConfig', () => {
  test('tells a null from a value that is missing', async () => {
    const given = { ...SOURCE, 'tasks.max': null, unheard: null }
    expect(await errors(given)).toEqual({
      'tasks.max': [
        'Invalid value null for configuration tasks.max: Value must be non-null',
        'Null value can not be supplied as the configuration value.',
      ],
      unheard: ['Null value can not be supplied as the configuration value.'],
    })
  })

  test('lists a transformation’s keys below its alias, in the order of their places', async () => {
    const { configs, groups } = await worker.herder.validate({
      ...SOURCE,
      transforms: 'hoist',
      'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    })
    const own = configs.filter(({ definition }) => definition?.group === 'Transforms: hoist')
    expect(own.map(({ value }) => value.name)).toEqual([
      'transforms.hoist.type',
      'transforms.hoist.plugin.version',
      'transforms.hoist.field',
      'transforms.hoist.negate',
      'transforms.hoist.predicate',
    ])
    expect(own.map(({ definition }) => definition?.order)).toEqual([0, 1, 2, 3, 4])
    expect(own.find(({ value }) => value.name.endsWith('.field'))?.value.errors).toEqual([
      'Missing required configuration "transforms.hoist.field" which has no default value.',
    ])
    expect(groups).toContain('Transforms: hoist')
  })

  test('never shows what a config provider gave', async () => {
    const { configs } = await worker.herder.validate({
      ...SOURCE,
      greeting: '${env:CONNECT_GREETING}',
      size: '${env:CONNECT_GREETING}',
    })
    expect(JSON.stringify(configs)).not.toContain('good day')
    expect(configs.find(({ value }) => value.name === 'size')?.value.errors).toContain(
      'Invalid value ${env:CONNECT_GREETING} for configuration size: Not a number of type INT',
    )
  })

  test('knows the policies by Kafka’s classes, and refuses what they do not allow', async () => {
    const strict = await startTestWorker({
      properties: {
        'connector.client.config.override.policy':
          'org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy',
      },
    })
    const { configs } = await strict.herder.validate({
      ...SOURCE,
      'producer.override.linger.ms': '5',
      'producer.override.sasl.jaas.config': 'very secret',
    })
    await strict.stop()
    expect(configs.flatMap(({ value }) => value.errors)).toEqual([
      "The 'Principal' policy does not allow 'linger.ms' to be overridden in the connector configuration.",
    ])
    expect(JSON.stringify(configs)).not.toContain('very secret')
  })
})
