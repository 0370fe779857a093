import { describe, expect, test } from 'vitest'
import { BUILT_IN_PLUGINS } from '../../../connector/cli/plugins.ts'
import { type PluginDescriptor, Plugins } from '../../../connector/runtime/plugins.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'

const ENVIRONMENT = {
  clock: new FakeClock(),
  random: () => 0,
  log: recordingLog(),
  environment: {},
}
const TRANSFORMS = 'org.apache.kafka.connect.transforms'
const builtIn = new Plugins(BUILT_IN_PLUGINS, ENVIRONMENT)

describe('names of plugins', () => {
  test.each([
    ['Filter', `${TRANSFORMS}.Filter`],
    [`${TRANSFORMS}.Cast$Key`, `${TRANSFORMS}.Cast$Key`],
    ['TopicNameMatches', `${TRANSFORMS}.predicates.TopicNameMatches`],
    ['Json', 'org.apache.kafka.connect.json.JsonConverter'],
    ['LongConverter', 'org.apache.kafka.connect.converters.LongConverter'],
    // As in the JVM, nested classes go by their full name only.
    ['Cast$Value', undefined],
    ['Cast', undefined],
    [`${TRANSFORMS}.Cast`, undefined],
  ])('%s is %s', (name, className) => {
    const found = builtIn.find(name, 'transformation', 'predicate', 'converter')
    expect(found?.className).toBe(className)
  })

  test('every one that comes with the worker can be made and says what it is configured with', async () => {
    for (const { className, kind } of BUILT_IN_PLUGINS) {
      const descriptor = builtIn.find(className, kind)
      expect(descriptor?.className).toBe(className)
      if (descriptor === undefined || ['config_provider', 'rest_extension'].includes(kind)) continue
      expect((await builtIn.configDef(descriptor))?.infos()).toBeInstanceOf(Array)
    }
  })

  test('a version that nobody gave is not listed', () => {
    const one: PluginDescriptor = {
      kind: 'sink',
      className: 'com.example.Sink',
      version: 'undefined',
      create: () => Promise.reject(new Error('not made here')),
    }
    expect(new Plugins([one], ENVIRONMENT).list(true)).toEqual([
      { class: 'com.example.Sink', type: 'sink' },
    ])
  })
})
