import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { connectionTo } from '../../connector/snowflake/connection.ts'
import { createHttpClient } from '../../connector/snowflake/http.ts'
import { sqlConnector } from '../../connector/snowflake/sql.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { systemClock } from '../../connector/runtime/clock.ts'

const { signal } = new AbortController()

test('a programmatic access token opens the SQL session and the streaming API', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sink-logins-'))
  const { publicKeyPem } = makeKey()
  const endpoint = await startLocalSnowflake({
    warehouse: folder,
    users: [{ name: 'MTA', publicKeyPem, accessTokens: ['a-token'] }],
    port: 0,
  })
  const http = createHttpClient(2)
  try {
    const config = {
      accountUrl: endpoint.url,
      account: 'LOCAL',
      user: 'MTA',
      role: 'SYSADMIN',
      login: { kind: 'token' as const, read: () => 'a-token' },
    }
    const { client, credential } = connectionTo(config, {
      send: http.send,
      clock: systemClock,
      requestId: () => crypto.randomUUID(),
      userAgent: 'test',
      timeoutMs: 10_000,
    })
    const connect = sqlConnector({
      ...config,
      credential,
      proxy: undefined,
      warehouse: undefined,
      timeoutMs: 20_000,
    })
    const session = await connect(signal)
    expect(await session.execute('SELECT 1 AS ONE', signal)).toEqual([{ ONE: 1 }])
    await session.execute('CREATE DATABASE IF NOT EXISTS MTA', signal)
    await session.execute('CREATE SCHEMA IF NOT EXISTS MTA.RAW', signal)
    await session.execute('CREATE TABLE MTA.RAW.T (A INT)', signal)
    await session.close()
    const opened = await client.open({ database: 'MTA', schema: 'RAW', pipe: 'T-STREAMING' }, 'c', {
      failOnUncommittedRows: true,
      attempt: { id: 'open', retries: 0 },
      signal,
    })
    expect(opened.status.code).toBe('SUCCESS')
  } finally {
    http.close()
    await endpoint.close()
    await rm(folder, { recursive: true, force: true })
  }
})
