import { afterEach, describe, expect, test } from 'vitest'
import type { ConfigProvider } from '../../../connector/api/config-provider.ts'
import type { PluginDescriptor } from '../../../connector/runtime/plugins.ts'
import { ConfigReload } from '../../../connector/runtime/config-reload.ts'
import { ConfigTransformer } from '../../../connector/runtime/config-transformer.ts'
import type { WorkerConnector } from '../../../connector/runtime/worker-connector.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { Script, scriptedPlugins } from '../../support/test-plugins.ts'
import { SOURCE, startTestWorker, type TestWorker } from '../../support/test-worker.ts'

const provider = (ttlMs?: number): ConfigProvider => ({
  configure: () => {},
  get: () => ({ data: { k: 'v' }, ...(ttlMs !== undefined && { ttlMs }) }),
})

const stage = () => {
  const clock = new FakeClock()
  const expired: string[] = []
  const log = recordingLog() as unknown as ConstructorParameters<typeof ConfigReload>[0]['log']
  const reload = new ConfigReload({ clock, log }, (name) => expired.push(name))
  const end = new AbortController()
  const connector = { endSignal: end.signal } as unknown as WorkerConnector
  return { clock, expired, reload, end, connector }
}

describe('ConfigTransformer', () => {
  test('says the shortest time that any of the values holds', async () => {
    const transformer = new ConfigTransformer(
      new Map([
        ['a', provider(500)],
        ['b', provider(200)],
        ['c', provider()],
      ]),
    )
    const resolve = async (value: string) => (await transformer.resolveWithTtl({ value })).ttlMs
    expect(await resolve('${a:k} ${b:k} ${c:k}')).toBe(200)
    expect(await resolve('${c:k}')).toBeUndefined()
  })
})

describe('ConfigReload', () => {
  test('calls back when the values expire, once, and never within a second', async () => {
    const { clock, expired, reload, connector } = stage()
    reload.schedule(connector, 'c', { config: {}, ttlMs: 5 })
    await clock.advance(999)
    expect(expired).toEqual([])
    await clock.advance(1)
    await clock.advance(10_000)
    expect(expired).toEqual(['c'])
  })

  test('a later resolution replaces the time, and the end of the connector ends it', async () => {
    const { clock, expired, reload, end, connector } = stage()
    reload.schedule(connector, 'c', { config: {}, ttlMs: 2_000 })
    reload.schedule(connector, 'c', { config: {}, ttlMs: 5_000 })
    await clock.advance(4_999)
    expect(expired).toEqual([])
    end.abort()
    await settled()
    await clock.advance(10_000)
    expect(expired).toEqual([])
  })

  test('config.action.reload=none leaves the connector alone', async () => {
    const { clock, expired, reload, connector } = stage()
    reload.schedule(connector, 'c', { config: { 'config.action.reload': 'NONE' }, ttlMs: 2_000 })
    await clock.advance(10_000)
    expect(expired).toEqual([])
  })
})

describe('a worker whose config provider gives values for a while', () => {
  let worker: TestWorker | undefined
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
  })

  test('restarts connector and tasks with the new value', async () => {
    let asked = 0
    const vault: PluginDescriptor = {
      kind: 'config_provider',
      className: 'com.example.Vault',
      version: '1',
      create: () =>
        Promise.resolve({
          configure: () => {},
          get: (_path: string, keys: readonly string[]) => {
            asked++
            const data = Object.fromEntries(keys.map((key) => [key, `lease-${asked}`]))
            return { data, ttlMs: 1_000 }
          },
        }),
    }
    const script = new Script()
    worker = await startTestWorker({
      script,
      plugins: [...scriptedPlugins(script), vault],
      properties: {
        'config.providers': 'vault',
        'config.providers.vault.class': 'com.example.Vault',
      },
    })
    const config = { ...SOURCE, file: '${vault:secret:lease}' }
    await worker.request('POST', '/connectors', { name: 'src', config })
    const starts = (): number => script.calls.filter((call) => call === 'task start').length
    await worker.eventually(() => starts() >= 2)
    const { json } = await worker.request('GET', '/connectors/src/config')
    expect(json.file).toBe('${vault:secret:lease}')
  })
})
