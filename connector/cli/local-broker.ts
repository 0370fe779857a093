// The embedded broker in a process of its own: local-broker --port N --topics name:partitions,…
import { parseArgs } from 'node:util'
import { ConfigError } from '../api/errors.ts'
import { startLocalBroker } from '../local/broker/broker.ts'
import { parseTopicList } from '../local/broker/topic-list.ts'
import { type RunningPart, runPart } from '../local/child-process.ts'

await runPart('local-broker', async (): Promise<RunningPart> => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9092' },
      topics: { type: 'string', default: '' },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError(`--port: ${values.port} is not a port`)
  }
  const broker = await startLocalBroker({ port, topics: parseTopicList(values.topics) })
  return { ready: { bootstrapServers: broker.bootstrapServers }, stop: () => broker.close() }
})
