// Snowflake's own driver, pointed at the local endpoint. Its start-up probes of cloud platforms are turned off.
import type { Connection } from 'snowflake-sdk'

process.env['SNOWFLAKE_DISABLE_PLATFORM_DETECTION'] = 'true'
process.env['SF_TELEMETRY_DISABLE_CONNECTION_SHAPE'] = '1'
process.env['SNOWFLAKE_DISABLE_MINICORE'] = '1'

export type Row = Readonly<Record<string, unknown>>

/** One connected session. */
export interface Driver {
  execute(
    sql: string,
    binds?: readonly (string | number | boolean | null)[],
  ): Promise<readonly Row[]>
  close(): Promise<void>
}

export async function connectDriver(options: {
  url: string
  user: string
  privateKeyPem: string
}): Promise<Driver> {
  const { default: snowflake } = await import('snowflake-sdk')
  snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false })
  const connection = snowflake.createConnection({
    account: 'local',
    accessUrl: options.url,
    username: options.user,
    authenticator: 'SNOWFLAKE_JWT',
    privateKey: options.privateKeyPem,
  })
  await new Promise<Connection>((resolve, reject) =>
    connection.connect((error, connected) => (error ? reject(error) : resolve(connected))),
  )
  return {
    execute: (sql, binds = []) =>
      new Promise((resolve, reject) =>
        connection.execute({
          sqlText: sql,
          binds: [...binds] as (string | number)[],
          complete: (error, _statement, rows) =>
            error ? reject(error) : resolve((rows ?? []) as Row[]),
        }),
      ),
    close: () =>
      new Promise((resolve, reject) =>
        connection.destroy((error) => (error ? reject(error) : resolve())),
      ),
  }
}
