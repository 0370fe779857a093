// `mta-connect doctor`: what is right and wrong with a sink connector's configuration and everything that it names.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import { confluentClients } from '../kafka/confluent.ts'
import { leave } from '../local/child-process.ts'
import { systemClock } from '../runtime/clock.ts'
import { examine } from './doctor/examine.ts'
import { render, withoutSecrets } from './doctor/finding.ts'
import { readSinkFiles } from './doctor/options.ts'

const USAGE = `mta-connect doctor CONNECTOR.properties [options]: checks a sink connector and all that it names

  --worker FILE       the worker's configuration, which says where Kafka is
                      (default: connect.properties beside the connector's file, or here)
  --timeout SECONDS   for each question (default 10)
  --help              this text
Exit code: 0 nothing is wrong, 1 something is, 2 the options or files are wrong.
`

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
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

async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  const [file] = positionals
  if (values.help || file === undefined || positionals.length > 1) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const seconds = Number(values.timeout)
  if (!(seconds > 0 && seconds <= 600))
    throw new ConfigError(`--timeout ${values.timeout}: expected 1 to 600 seconds`)
  const files = await readSinkFiles(file, values.worker, process.env)
  const hide = withoutSecrets([files.sink, files.worker ?? {}])
  const wrong = await examine(
    files,
    {
      clients: confluentClients,
      clock: systemClock,
      random: Math.random,
      requestId: randomUUID,
      timeoutMs: seconds * 1_000,
    },
    (finding) => process.stdout.write(hide(render(finding))),
  )
  return wrong === 0 ? 0 : 1
}

try {
  // Kafka's client may still wait for a broker that is away; nobody waits for that.
  await leave(await main())
} catch (error) {
  if (!(error instanceof ConnectError)) throw error
  process.stderr.write(`doctor: ${toMessage(error)}\n`)
  await leave(2)
}
