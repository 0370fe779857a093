// What `mta-connect sql` is told: which account, which statements, how to show the results.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { ConfigProvider } from '../../api/config-provider.ts'
import { ConfigError } from '../../api/errors.ts'
import { EnvVarConfigProvider, FileConfigProvider } from '../../runtime/config-providers.ts'
import { ConfigTransformer } from '../../runtime/config-transformer.ts'
import { parseSinkConfig } from '../../snowflake/config.ts'
import { readConnectorFile } from '../connector-file.ts'
import type { Account, SqlLimits } from './connection.ts'
import { FORMATS, type Format } from './output.ts'

export const USAGE = `mta-connect sql [options]: runs SQL on the tables of this machine's quickstart, or on Snowflake

  -c SQL              run these statements; without -c and -f: a prompt, or what standard input holds
  -f FILE             run the statements of a file
  --config FILE       account, user, key, database and schema from a sink connector's configuration
                      (default: the quickstart's, DIR/config/snowflake-sink.properties)
  --data-dir DIR      the quickstart's folder (default data)
  --database NAME, --schema NAME, --role NAME, --warehouse NAME
                      instead of what the configuration says
  --format FORMAT     ${FORMATS.join(', ')} (default table)
  --max-rows N        of one result (default 10000)
  --timeout SECONDS   for one statement (default 300)
  --keep-going        run what follows a failed statement as well
  --help              this text
Exit code: 0 all statements ran, 1 one failed, 2 the options or the connection are wrong.
`

export interface SqlOptions {
  readonly account: Account
  readonly limits: SqlLimits
  readonly format: Format
  readonly goesOn: boolean
  /** Undefined: the prompt, or standard input. */
  readonly script: { readonly name: string; readonly text: string } | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const LOGIN_TIMEOUT_MS = 20_000

/** @throws ConfigError naming the option. 'help' when that was asked for. */
export async function readOptions(
  args: readonly string[],
  environment: Environment,
): Promise<SqlOptions | 'help'> {
  const { help, ...values } = parse(args)
  if (help) return 'help'
  const format = FORMATS.find((name) => name === values.format)
  if (format === undefined)
    throw new ConfigError(`--format ${values.format}: expected ${FORMATS.join(', ')}`)
  if (values.command !== undefined && values.file !== undefined)
    throw new ConfigError('-c and -f: expected one of them, got both')
  const limits: SqlLimits = {
    loginTimeoutMs: LOGIN_TIMEOUT_MS,
    statementTimeoutMs: 1_000 * whole('--timeout', values.timeout, 86_400),
    maxRows: whole('--max-rows', values['max-rows'], 100_000_000),
  }
  const script = scriptOf(values)
  const account = await accountOf(values, environment)
  return { account, limits, format, goesOn: values['keep-going'], script }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        command: { type: 'string', short: 'c' },
        file: { type: 'string', short: 'f' },
        config: { type: 'string' },
        'data-dir': { type: 'string', default: 'data' },
        database: { type: 'string' },
        schema: { type: 'string' },
        role: { type: 'string' },
        warehouse: { type: 'string' },
        format: { type: 'string', default: 'table' },
        'max-rows': { type: 'string', default: '10000' },
        timeout: { type: 'string', default: '300' },
        'keep-going': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new ConfigError('Options', { cause: error })
  }
}

type Values = Omit<ReturnType<typeof parse>, 'help'>

async function accountOf(values: Values, environment: Environment): Promise<Account> {
  const file = values.config ?? path.join(values['data-dir'], 'config/snowflake-sink.properties')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const hint =
      values.config === undefined
        ? ' (`npm start` makes it, and --config FILE names another sink configuration)'
        : ''
    throw new ConfigError(`Cannot read ${file}${hint}`, { cause: error })
  }
  try {
    const { config } = readConnectorFile(file, text)
    const sink = parseSinkConfig(await resolveReferences(config, environment))
    return {
      accountUrl: sink.accountUrl,
      account: sink.account,
      user: sink.user,
      login: sink.login,
      proxy: sink.proxy,
      role: values.role ?? sink.role,
      warehouse: values.warehouse ?? sink.values['snowflake.warehouse.name'],
      database: values.database ?? sink.database,
      schema: values.schema ?? sink.schema,
    }
  } catch (error) {
    throw new ConfigError(file, { cause: error })
  }
}

/** `\${env:NAME}` and `\${file:PATH:KEY}`, as the worker resolves them. */
export async function resolveReferences(
  config: Readonly<Record<string, string | null>>,
  environment: Environment,
): Promise<Readonly<Record<string, string>>> {
  const values = Object.entries(config).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  const transformer = new ConfigTransformer(
    new Map<string, ConfigProvider>([
      ['env', new EnvVarConfigProvider(environment)],
      ['file', new FileConfigProvider()],
    ]),
  )
  try {
    return await transformer.resolve(Object.fromEntries(values))
  } finally {
    transformer.close()
  }
}

function scriptOf(values: Values): SqlOptions['script'] {
  if (values.command !== undefined) return { name: '-c', text: values.command }
  if (values.file === undefined) return undefined
  try {
    return { name: values.file, text: readFileSync(values.file, 'utf8') }
  } catch (error) {
    throw new ConfigError(`-f ${values.file}`, { cause: error })
  }
}

function whole(option: string, text: string, max: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= max) return number
  throw new ConfigError(`${option} ${text}: expected a whole number from 1 to ${max}`)
}
