// `connect-standalone connect.properties [connector.properties|json …]`, as Kafka's script of that name.
import { readFile } from 'node:fs/promises'
import v8 from 'node:v8'
import { ConfigError } from '../api/errors.ts'
import { confluentClients, whyNotPacked } from '../kafka/confluent.ts'
import { runPart } from '../local/child-process.ts'
import { systemClock } from '../runtime/clock.ts'
import { parseProperties } from '../runtime/properties.ts'
import { readConnectorFile } from './connector-file.ts'
import { startEventLoopWatchdog } from './event-loop-watchdog.ts'
import { BUILT_IN_PLUGINS } from './plugins.ts'
import { startWorker } from './start-worker.ts'
import { survive } from './stray-errors.ts'

const USAGE =
  'Usage: connect-standalone connect.properties [connector1.properties connector2.json …]'

// Records that had to wait once, e.g. for a table, teach V8 to put all later ones among its long-lived objects, from where
// they go only at a full collection: half as much memory again, and a tenth more time.
v8.setFlagsFromString('--no-allocation-site-pretenuring')

await runPart('connect-standalone', async () => {
  const [workerFile, ...connectorFiles] = process.argv.slice(2)
  if (workerFile === undefined || workerFile.startsWith('-')) throw new ConfigError(USAGE)
  const worker = await startWorker({
    properties: parseProperties(await text(workerFile)),
    connectors: await Promise.all(
      connectorFiles.map(async (file) => readConnectorFile(file, await text(file))),
    ),
    plugins: BUILT_IN_PLUGINS,
    clients: confluentClients,
    clock: systemClock,
    random: Math.random,
    environment: process.env,
    outsideWatch: startEventLoopWatchdog,
  })
  survive(worker.services.log)
  if (whyNotPacked !== undefined)
    worker.services.log.info({ reason: whyNotPacked }, 'Sinks read message by message, slower.')
  return { ready: { url: worker.url, workerId: worker.workerId }, stop: () => worker.stop() }
})

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`Cannot read ${file}`, { cause: error })
  }
}
