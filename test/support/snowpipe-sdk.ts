// Snowflake's own streaming SDK for Python against a local endpoint with HTTPS.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/local/snowflake/system-clock.ts'
import { keepCertificates } from '../../connector/local/snowflake/tls/certificate-folder.ts'
import { LineProgram } from './line-program.ts'
import { PYTHON, ROOT } from './needs.ts'
import { recordingLog } from './recording-log.ts'
import { connectDriver, type Driver } from './snowflake-driver.ts'
import { makeKey } from './snowflake-keys.ts'

export const PIPE = { database: 'DB', schema: 'S', pipe: 'T-STREAMING' }

/** Keeps a client from making an upload of a flush of more than 1 MiB. */
export const ROWSET_MODE = { max_buffered_kb_for_rowset_mode: '60000' }

export interface SdkStage {
  readonly snowflake: LocalSnowflake
  readonly driver: Driver
  readonly privateKeyPem: string
  /** Starts another process of the SDK; ended by `close`. */
  program(): LineProgram
  /** The `client` command. */
  client(name: string, properties?: Readonly<Record<string, string>>): Record<string, unknown>
  fault(body: object): Promise<void>
  /** The faults that nothing has met yet. */
  faultsLeft(): Promise<unknown>
  clearFaults(): Promise<void>
  close(): Promise<void>
}

/** An endpoint that speaks HTTPS, HTTP on a second port, with table `DB.S.T (C STRING, N INT, PAD STRING)`. */
export async function makeSdkStage(): Promise<SdkStage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'snowpipe-sdk-'))
  const key = makeKey()
  const keyFile = path.join(folder, 'key.pem')
  await writeFile(keyFile, key.privateKeyPem)
  const tls = await keepCertificates(path.join(folder, 'tls'), systemClock)
  const snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    log: recordingLog(),
    commitIntervalMs: 50,
    tls,
    httpPort: 0,
    initSql: [
      'CREATE DATABASE DB',
      'CREATE SCHEMA DB.S',
      'CREATE ICEBERG TABLE DB.S.T (C STRING NOT NULL, N INT, PAD STRING)',
    ],
  })
  const driver = await connectDriver({
    url: snowflake.httpUrl ?? '',
    user: 'PIPE',
    privateKeyPem: key.privateKeyPem,
  })
  await driver.execute('USE SCHEMA DB.S')
  const programs: LineProgram[] = []
  const faults = `${snowflake.adminUrl}/faults`
  return {
    snowflake,
    driver,
    privateKeyPem: key.privateKeyPem,
    program: () => {
      const script = path.join(ROOT, 'test/integration/readers/snowpipe_sdk.py')
      const program = new LineProgram(PYTHON, [script], {
        SSL_CERT_FILE: tls.caFile,
        SS_LOG_LEVEL: 'error',
      })
      programs.push(program)
      return program
    },
    client: (name, properties = {}) => ({
      op: 'client',
      client: name,
      ...PIPE,
      properties: {
        account: 'local',
        user: 'pipe',
        role: 'SYSADMIN',
        private_key_file: keyFile,
        url: snowflake.url,
        mem_throttle_by_process: 'false',
        ...properties,
      },
    }),
    fault: async (body) => {
      const answer = await fetch(faults, { method: 'POST', body: JSON.stringify(body) })
      if (answer.status !== 200) throw new Error(await answer.text())
    },
    faultsLeft: async () => {
      const answer = (await (await fetch(faults)).json()) as { readonly faults: unknown }
      return answer.faults
    },
    clearFaults: async () => {
      await fetch(faults, { method: 'DELETE' })
    },
    close: async () => {
      await Promise.all(programs.map((program) => program.close()))
      await driver.close()
      await snowflake.close()
      await rm(folder, { recursive: true })
    },
  }
}
