import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseOptions, USAGE } from '../../../connector/cli/quickstart-options.ts'

describe('quickstart options', () => {
  test('are all embedded when nothing is given', () => {
    expect(parseOptions([])).toEqual({
      feeds: { kind: 'auto' },
      speed: 1,
      seed: 1,
      dataDir: path.resolve('data'),
      port: 8083,
      bootstrapServers: undefined,
      schemaRegistryUrl: undefined,
      snowflake: undefined,
    })
  })

  test('name a folder to replay and what its recordings are', () => {
    const options = parseOptions(['--feeds', 'replay:recorded', '--replay-map', 'x=mta-lirr'])
    expect(options).toMatchObject({
      feeds: { kind: 'replay', dir: path.resolve('recorded'), map: { x: 'mta-lirr' } },
    })
  })

  test('report every mistake at once', () => {
    const wrong =
      '--feeds radio --speed 1000 --port x --schema-registry-url localhost:8081 --bootstrap-servers localhost --replay-map ace'
    expect(() => parseOptions(wrong.split(' '))).toThrow(
      [
        '--replay-map ace: expected TAG=FEED, e.g. ace=mta-subway-ace',
        '--feeds radio: expected auto, live, simulated or replay:DIR',
        '--schema-registry-url localhost:8081: expected http://HOST:PORT or https://HOST:PORT',
        '--bootstrap-servers localhost: expected HOST:PORT[,HOST:PORT…]',
        '--speed 1000: expected a number from 1 to 120',
        '--port x: expected a whole number from 1 to 65535',
      ].join('\n'),
    )
  })

  test('refuse a speed for live feeds', () => {
    expect(() => parseOptions(['--feeds', 'live', '--speed', '30'])).toThrow(
      /--speed 30: live feeds/,
    )
  })

  test('refuse an unknown option by name', () => {
    expect(() => parseOptions(['--fedes', 'live'])).toThrow(/--fedes/)
  })

  test('every option is in the usage', () => {
    const names = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set([
        'feeds',
        'replay-map',
        'speed',
        'seed',
        'data-dir',
        'port',
        'bootstrap-servers',
        'schema-registry-url',
        'snowflake',
        'help',
      ]),
    )
  })
})
