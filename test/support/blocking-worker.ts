// A worker in a process of its own whose plugins do what no worker can prevent: one blocks the event loop, one throws in a
// timer. Says `{ url }` when it is ready; does it when it is told `block` or `throw`.
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startEventLoopWatchdog } from '../../connector/cli/event-loop-watchdog.ts'
import { BUILT_IN_PLUGINS } from '../../connector/cli/plugins.ts'
import { startWorker } from '../../connector/cli/start-worker.ts'
import { survive } from '../../connector/cli/stray-errors.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { FakeKafka } from './fake-kafka.ts'
import { Script, scriptedPlugins } from './test-plugins.ts'
import { SINK } from './test-worker.ts'

const BLOCK_MS = 2_500
const script = new Script()
const worker = await startWorker({
  properties: {
    listeners: 'http://127.0.0.1:0',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'offset.storage.file.filename': path.join(
      mkdtempSync(path.join(os.tmpdir(), 'blocking-')),
      'connect.offsets',
    ),
    'event.loop.block.limit.ms': '750',
  },
  connectors: [{ name: 'snk', config: SINK }],
  plugins: [...scriptedPlugins(script), ...BUILT_IN_PLUGINS],
  clients: new FakeKafka({ topics: { t: 1 } }),
  clock: systemClock,
  random: Math.random,
  environment: {},
  outsideWatch: startEventLoopWatchdog,
})
survive(worker.services.log)
process.on('message', (order) => {
  script.onPut = () => {
    script.onPut = () => {}
    if (order === 'throw') {
      setTimeout(() => {
        throw new Error('thrown in a timer')
      }, 0)
      return
    }
    const end = Date.now() + BLOCK_MS
    while (Date.now() < end);
  }
})
process.on('disconnect', () => void worker.stop().then(() => process.exit(0)))
process.send?.({ url: worker.url })
