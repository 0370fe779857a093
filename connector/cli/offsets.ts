// `mta-connect offsets`: the positions of a sink's channels, and the way back to Snowflake's own connector.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import { confluentClients } from '../kafka/confluent.ts'
import { leave } from '../local/child-process.ts'
import { systemClock } from '../runtime/clock.ts'
import { parseSinkConfig } from '../snowflake/config.ts'
import { connectionTo } from '../snowflake/connection.ts'
import { createHttpClient } from '../snowflake/http.ts'
import { withoutSecrets } from './doctor/finding.ts'
import { readSinkFiles } from './doctor/options.ts'
import { channelPlaces, requireStopped } from './offsets/places.ts'
import { type Caller, decimalOf, readPositions, writeDecimal } from './offsets/to-decimal.ts'

const USAGE = `mta-connect offsets CONNECTOR.properties [options]: the positions of a sink's channels in Snowflake

  --to-decimal        write them as plain decimals, as Snowflake's own connector of the same name reads them; the
                      connector has to be stopped. Nothing is changed when one of them could not be exact
  --stopped           do not ask the worker whether the connector is stopped
  --worker FILE       the worker's configuration, which says where Kafka and the worker are
                      (default: connect.properties beside the connector's file, or here)
  --timeout SECONDS   for each question (default 10)
  --help              this text
Exit code: 0 done, 1 refused, 2 the options or files are wrong.
`

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      'to-decimal': { type: 'boolean', default: false },
      stopped: { type: 'boolean', default: false },
      worker: { type: 'string' },
      timeout: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  })

function readArguments(): ReturnType<typeof parse> {
  try {
    return parse()
  } catch (error) {
    throw new ConfigError('Options', { cause: error })
  }
}

let hide = (text: string): string => text

async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  const [file] = positionals
  if (values.help || file === undefined || positionals.length > 1) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const timeoutMs = Number(values.timeout) * 1_000
  if (!(timeoutMs > 0 && timeoutMs <= 600_000))
    throw new ConfigError(`--timeout ${values.timeout}: expected 1 to 600 seconds`)
  const files = await readSinkFiles(file, values.worker, process.env)
  hide = withoutSecrets([files.sink, files.worker ?? {}])
  const config = parseSinkConfig(files.sink)
  const http = createHttpClient(2, config.proxy)
  try {
    if (values['to-decimal'] && !values.stopped) await requireStopped(files, http.send, timeoutMs)
    const places = await channelPlaces(files, config, { clients: confluentClients, timeoutMs })
    const { client } = connectionTo(config, {
      send: http.send,
      clock: systemClock,
      requestId: randomUUID,
      userAgent: 'mta-connect-offsets',
      timeoutMs,
    })
    const caller: Caller = { client, requestId: randomUUID, timeoutMs }
    const positions = await readPositions(places, caller)
    // All of them first: nothing is changed when one is refused.
    if (values['to-decimal']) for (const position of positions) decimalOf(position)
    for (const position of positions) {
      const { channel, token } = position
      const written = values['to-decimal'] ? await writeDecimal(position, caller) : undefined
      const change = written === undefined ? '' : ` -> ${written}`
      process.stdout.write(`${channel}: ${token ?? 'no position'}${change}\n`)
    }
    return 0
  } finally {
    http.close()
  }
}

try {
  // Kafka's client may still wait for a broker that is away; nobody waits for that.
  await leave(await main())
} catch (error) {
  if (!(error instanceof ConnectError)) throw error
  process.stderr.write(`offsets: ${hide(toMessage(error))}\n`)
  await leave(error instanceof ConfigError ? 2 : 1)
}
