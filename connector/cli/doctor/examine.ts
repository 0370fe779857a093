// All checks in their order; what needs something that is wrong is skipped, the rest is checked all the same.
import { createHttpClient } from '../../snowflake/http.ts'
import { connectionTo } from '../../snowflake/connection.ts'
import { parseSinkConfig, type SinkConfig } from '../../snowflake/config.ts'
import { checkHost, checkLogin, checkRole } from './account-checks.ts'
import { type Tell, wordsOf } from './finding.ts'
import { checkKafka, checkRegistry, type KafkaOutside } from './kafka-checks.ts'
import type { SinkFiles } from './options.ts'
import { checkTables } from './table-checks.ts'

export interface DoctorOutside extends KafkaOutside {
  readonly requestId: () => string
}

/** How many things are wrong. Every question ends within `timeoutMs` and a second. */
export async function examine(
  files: SinkFiles,
  outside: DoctorOutside,
  report: Tell,
): Promise<number> {
  let wrong = 0
  const tell: Tell = (finding) => {
    if (finding.state === 'wrong') wrong++
    report(finding)
  }
  const config = checkConfiguration(files, tell)
  const topics = await checkKafka(files, outside, tell)
  await checkRegistry(files, topics, outside, tell)
  if (config === undefined)
    tell({ check: 'Snowflake', state: 'skipped', says: 'The configuration is wrong.' })
  else await checkSnowflake(config, { files, topics }, outside, tell)
  return wrong
}

function checkConfiguration({ sink }: SinkFiles, tell: Tell): SinkConfig | undefined {
  const check = 'configuration and key'
  try {
    const config = parseSinkConfig(sink)
    const how = config.login.kind === 'key' ? 'its private key can be read' : config.login.kind
    tell({ check, state: 'ok', says: `All keys have a meaning; ${how}.` })
    return config
  } catch (error) {
    tell({
      check,
      state: 'wrong',
      says: wordsOf(error),
      mend: 'connector/snowflake/README.md has every key; openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -out key.p8 makes a private key',
    })
    return undefined
  }
}

async function checkSnowflake(
  config: SinkConfig,
  { files, topics }: { readonly files: SinkFiles; readonly topics: readonly string[] },
  outside: DoctorOutside,
  tell: Tell,
): Promise<void> {
  const { timeoutMs, clock, requestId } = outside
  const http = createHttpClient(2, config.proxy)
  const parts = { send: http.send, clock, requestId, userAgent: 'mta-connect-doctor', timeoutMs }
  const skip = (why: string): void =>
    tell({ check: 'role, grants and tables', state: 'skipped', says: why })
  try {
    if (!(await checkHost(config.accountUrl, parts, tell))) {
      skip('The account does not answer.')
      return
    }
    const { client, credential } = connectionTo(config, parts)
    const session = await checkLogin(config, { credential, timeoutMs }, tell)
    if (session === undefined) {
      skip('Nobody is logged in.')
      return
    }
    try {
      const role = await checkRole(config, session, timeoutMs, tell)
      if (role === undefined) skip('There is no role.')
      else
        await checkTables(
          { config, session, client, role, connector: files.name, topics, timeoutMs },
          tell,
        )
    } finally {
      await session.close()
    }
  } finally {
    http.close()
  }
}
