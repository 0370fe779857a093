// The local Snowflake in a process of its own; `--help` says what it takes.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError, toMessage } from '../api/errors.ts'
import { type RunningPart, runPart } from '../local/child-process.ts'
import { type LocalSnowflake, startLocalSnowflake } from '../local/snowflake/server.ts'
import { keepCertificates } from '../local/snowflake/tls/certificate-folder.ts'
import { createLogger } from '../runtime/logging.ts'

const USAGE = `mta-connect snowflake-local --data-dir DIR --user NAME --public-key FILE [options]

  --data-dir DIR        folder of the tables; made when it is not there
  --user NAME           who may log in, with the next --public-key; both may come again for more users
  --public-key FILE     PEM of the user's RSA public key, as ALTER USER ... SET RSA_PUBLIC_KEY takes it
  --port N              default 8085; 0: any free port
  --admin-port N        faults, default 8086
  --tls                 speak HTTPS on --port, with a CA of its own in DIR/.snowflake/tls
  --tls-cert, --tls-key FILE    speak HTTPS with your certificate instead
  --http-port N         with HTTPS, a second port that speaks HTTP
  --init-sql STATEMENT  run at every start before anybody is answered; may come again
  --no-limits           do not pace channels to 10 requests and 20 MB a second
  --profile NAME        fast: commits within a second (default); realistic: after 5 to 9 seconds

Prints one line of JSON once it is ready: its addresses, and what clients need to be told.
`

const parse = () =>
  parseArgs({
    options: {
      port: { type: 'string', default: '8085' },
      'admin-port': { type: 'string', default: '8086' },
      'http-port': { type: 'string' },
      'data-dir': { type: 'string' },
      user: { type: 'string', multiple: true, default: [] },
      'public-key': { type: 'string', multiple: true, default: [] },
      'init-sql': { type: 'string', multiple: true, default: [] },
      'no-limits': { type: 'boolean', default: false },
      profile: { type: 'string', default: 'fast' },
      tls: { type: 'boolean', default: false },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values

type Values = ReturnType<typeof parse>

function readArguments(): Values {
  try {
    return parse()
  } catch (error) {
    throw new ConfigError(`${toMessage(error)} See --help.`, { cause: error })
  }
}

async function start(): Promise<RunningPart> {
  const values = readArguments()
  const { profile } = values
  if (profile !== 'fast' && profile !== 'realistic')
    throw new ConfigError(`--profile must be fast or realistic, got ${profile}`)
  const warehouse = path.resolve(required('--data-dir', values['data-dir']))
  const users = readUsers(values.user, values['public-key'])
  const httpPort = values['http-port']
  const certificates = await certificatesOf(values, warehouse)
  if (httpPort !== undefined && certificates === undefined)
    throw new ConfigError('--http-port needs --tls; without it --port speaks HTTP')
  const snowflake = await startLocalSnowflake({
    warehouse,
    users,
    port: port('--port', values.port),
    adminPort: port('--admin-port', values['admin-port']),
    profile,
    log: createLogger('INFO'),
    initSql: values['init-sql'],
    ...(values['no-limits'] && { limits: null }),
    ...(certificates !== undefined && { tls: certificates }),
    ...(httpPort !== undefined && { httpPort: port('--http-port', httpPort) }),
  })
  return {
    ready: readyOf(snowflake, { user: users[0]?.name ?? '', caFile: certificates?.caFile }),
    stop: () => snowflake.close(),
  }
}

/** The addresses, and the settings of Snowflake's own streaming SDKs. */
const readyOf = (
  { url, adminUrl, httpUrl }: LocalSnowflake,
  { user, caFile }: { user: string; caFile: string | undefined },
): Readonly<Record<string, unknown>> => ({
  url,
  adminUrl,
  ...(httpUrl !== undefined && { httpUrl }),
  ...(caFile !== undefined && { environment: { SSL_CERT_FILE: caFile } }),
  profile: {
    account: 'local',
    user,
    role: 'SYSADMIN',
    url,
    private_key_file: 'the file of your private key',
  },
})

async function certificatesOf(
  values: Values,
  warehouse: string,
): Promise<{ cert: string; key: string; caFile?: string } | undefined> {
  const { 'tls-cert': cert, 'tls-key': key } = values
  if (cert !== undefined)
    return { cert: read('--tls-cert', cert), key: read('--tls-key', required('--tls-key', key)) }
  if (key !== undefined) throw new ConfigError('--tls-key needs --tls-cert')
  if (!values.tls) return undefined
  return keepCertificates(path.join(warehouse, '.snowflake', 'tls'))
}

if (process.argv.some((argument) => argument === '--help' || argument === '-h'))
  process.stdout.write(USAGE)
else await runPart('snowflake-local', start)

function readUsers(
  names: readonly string[],
  keys: readonly string[],
): readonly { name: string; publicKeyPem: string }[] {
  if (names.length === 0 || names.length !== keys.length)
    throw new ConfigError(
      `--user and --public-key come in pairs, at least one, got ${names.length} and ${keys.length}`,
    )
  return names.map((name, index) => ({
    name,
    publicKeyPem: read('--public-key', keys[index] ?? ''),
  }))
}

function read(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${option}: ${file} cannot be read`, { cause: error })
  }
}

function required(option: string, value: string | undefined): string {
  if (value === undefined) throw new ConfigError(`${option} is required`)
  return value
}

function port(option: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new ConfigError(`${option}: ${value} is not a port`)
  return number
}
