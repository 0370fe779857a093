// The local schema registry in a process of its own: registry --port N --data-dir DIR [--host H]
import { parseArgs } from 'node:util'
import { ConfigError } from '../api/errors.ts'
import { runPart } from '../local/child-process.ts'
import { startLocalRegistry } from '../local/registry/server.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logging.ts'

await runPart('registry', async () => {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8081' },
      'data-dir': { type: 'string' },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError(`--port: ${values.port} is not a port`)
  }
  const dataDir = values['data-dir']
  if (dataDir === undefined)
    throw new ConfigError('--data-dir: where to keep the schemas is missing')
  const log = createLogger('WARN')
  const registry = await startLocalRegistry({
    port,
    host: values.host,
    dataDir,
    clock: systemClock,
    log,
  })
  return { ready: { url: registry.url }, stop: () => registry.close() }
})
