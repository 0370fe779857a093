// The local Snowflake in a process of its own:
// snowflake-local --port N --admin-port N --data-dir DIR --user NAME --public-key FILE [--profile fast|realistic]
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ConfigError } from '../api/errors.ts'
import { type RunningPart, runPart } from '../local/child-process.ts'
import { startLocalSnowflake } from '../local/snowflake/server.ts'
import { createLogger } from '../runtime/logging.ts'

await runPart('snowflake-local', async (): Promise<RunningPart> => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8085' },
      'admin-port': { type: 'string', default: '8086' },
      'data-dir': { type: 'string' },
      user: { type: 'string', multiple: true, default: [] },
      'public-key': { type: 'string', multiple: true, default: [] },
      profile: { type: 'string', default: 'fast' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
    },
  })
  const { profile } = values
  if (profile !== 'fast' && profile !== 'realistic')
    throw new ConfigError(`--profile must be fast or realistic, got ${profile}`)
  const warehouse = required('--data-dir', values['data-dir'])
  const certificate = values['tls-cert']
  const snowflake = await startLocalSnowflake({
    warehouse,
    users: readUsers(values.user, values['public-key']),
    port: port('--port', values.port),
    adminPort: port('--admin-port', values['admin-port']),
    profile,
    log: createLogger('INFO'),
    ...(certificate !== undefined && {
      tls: {
        cert: read('--tls-cert', certificate),
        key: read('--tls-key', required('--tls-key', values['tls-key'])),
      },
    }),
  })
  return {
    ready: { url: snowflake.url, adminUrl: snowflake.adminUrl },
    stop: () => snowflake.close(),
  }
})

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
