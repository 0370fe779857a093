import { afterEach, describe, expect, test } from 'vitest'
import { SOURCE, startTestWorker, type TestWorker } from '../../support/test-worker.ts'

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

describe('StandaloneHerder', () => {
  test('two patches at once both count, however long validation takes', async () => {
    worker = await startTestWorker()
    const { herder, script } = worker
    await herder.putConnectorConfig('src', SOURCE, { allowReplace: false })
    const validate = script.onValidate
    script.onValidate = async (props) => {
      await Promise.resolve()
      return validate(props)
    }
    const patches = [{ greeting: 'a' }, { size: '2' }, { other: 'c' }]
    await Promise.all(patches.map((patch) => herder.patchConnectorConfig('src', patch)))
    expect((await herder.connectorInfo('src')).config).toMatchObject({
      greeting: 'a',
      size: '2',
      other: 'c',
    })
  })

  test('of two configurations the one that was asked for last stays, whichever is validated first', async () => {
    worker = await startTestWorker()
    const { herder, script } = worker
    const validate = script.onValidate
    const gate = new AbortController()
    const slow = new Promise((resolve) => {
      gate.signal.addEventListener('abort', resolve, { once: true })
    })
    script.onValidate = async (props) => {
      if (props['greeting'] === 'first') await slow
      return validate(props)
    }
    const put = (greeting: string) =>
      herder.putConnectorConfig('src', { ...SOURCE, greeting }, { allowReplace: true })
    const both = [put('first'), put('second')]
    await worker.request('GET', '/connectors')
    gate.abort()
    await Promise.all(both)
    expect((await herder.connectorInfo('src')).config['greeting']).toBe('second')
  })
})
