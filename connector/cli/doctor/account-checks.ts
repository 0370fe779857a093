// Whether the account can be reached, the clocks agree, the user may log in, and as which role.
import { createPublicKey } from 'node:crypto'
import type { Clock } from '../../api/clock.ts'
import type { SinkConfig } from '../../snowflake/config.ts'
import type { Credential } from '../../snowflake/credential.ts'
import type { HttpSend } from '../../snowflake/http.ts'
import { quoted, storedName } from '../../snowflake/identifiers.ts'
import { sqlConnector, SqlError, type SqlSession } from '../../snowflake/sql.ts'
import { bounded, type Tell, wordsOf } from './finding.ts'

/** A JWT that is made on a clock that is further off may be refused. */
const SKEW_MS_MAX = 30_000

/** True when the address answers anything; tells that and whether the clocks agree. */
export async function checkHost(
  accountUrl: string,
  outside: { readonly send: HttpSend; readonly clock: Clock; readonly timeoutMs: number },
  tell: Tell,
): Promise<boolean> {
  const { clock, send, timeoutMs } = outside
  const sentMs = clock.now()
  try {
    const answer = await bounded(timeoutMs, (signal) =>
      send({
        method: 'GET',
        url: `${accountUrl}/v2/streaming/hostname`,
        headers: { accept: 'application/json' },
        timeoutMs,
        signal,
      }),
    )
    tell({ check: 'account host', state: 'ok', says: `${accountUrl} answers.` })
    tellSkew(answer.headers['date'], (sentMs + clock.now()) / 2, tell)
    return true
  } catch (error) {
    tell({
      check: 'account host',
      state: 'wrong',
      says: `${accountUrl} does not answer: ${wordsOf(error)}`,
      mend: 'snowflake.url.name=<organization>-<account>.snowflakecomputing.com, and jvm.proxy.host and jvm.proxy.port where there is a proxy',
    })
    return false
  }
}

function tellSkew(date: string | undefined, nowMs: number, tell: Tell): void {
  const server = Date.parse(date ?? '')
  const check = 'clock'
  if (Number.isNaN(server)) {
    tell({ check, state: 'skipped', says: 'The answer has no Date to compare with.' })
    return
  }
  // The header has whole seconds.
  const skewMs = nowMs - (server + 500)
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  if (Math.abs(skewMs) <= SKEW_MS_MAX)
    tell({ check, state: 'ok', says: `This machine and Snowflake differ by ${seconds} s at most.` })
  else
    tell({
      check,
      state: 'wrong',
      says: `This machine's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} Snowflake's: tokens made with it are refused.`,
      mend: 'timedatectl set-ntp true',
    })
}

/** An SQL session as the sink would open it; undefined when it cannot. */
export async function checkLogin(
  config: SinkConfig,
  outside: { readonly credential: Credential; readonly timeoutMs: number },
  tell: Tell,
): Promise<SqlSession | undefined> {
  const { accountUrl, account, user, role, proxy } = config
  const { credential, timeoutMs } = outside
  const warehouse = config.values['snowflake.warehouse.name']
  const connect = sqlConnector({
    accountUrl,
    account,
    user,
    role,
    warehouse,
    credential,
    proxy,
    timeoutMs,
  })
  try {
    const session = await bounded(timeoutMs + 1_000, connect)
    tell({ check: 'login', state: 'ok', says: `${user} may log in to ${account}.` })
    return session
  } catch (error) {
    tell({ check: 'login', state: 'wrong', says: wordsOf(error), mend: loginMend(config, error) })
    return undefined
  }
}

/** The user with the key that is configured: the public half may be shown. */
function loginMend(config: SinkConfig, error: unknown): string | undefined {
  const { login, role } = config
  if (!(error instanceof SqlError)) return undefined
  const user = quoted(storedName(config.user))
  const lines: string[] = []
  if (login.kind === 'key') {
    const der = createPublicKey(login.key).export({ type: 'spki', format: 'der' })
    lines.push(
      `CREATE USER IF NOT EXISTS ${user} TYPE = SERVICE;`,
      `ALTER USER ${user} SET RSA_PUBLIC_KEY = '${der.toString('base64')}';`,
    )
  } else lines.push(`DESCRIBE USER ${user};`)
  if (role !== undefined) lines.push(`GRANT ROLE ${quoted(storedName(role))} TO USER ${user};`)
  return lines.join('\n')
}

/** Tells which role the session has, and gives it. */
export async function checkRole(
  config: SinkConfig,
  session: SqlSession,
  timeoutMs: number,
  tell: Tell,
): Promise<string | undefined> {
  const check = 'role'
  try {
    const [row] = await bounded(timeoutMs, (signal) =>
      session.execute('SELECT CURRENT_ROLE() AS "role"', signal),
    )
    const role = typeof row?.['role'] === 'string' ? row['role'] : undefined
    const wanted = config.role === undefined ? role : storedName(config.role)
    if (role === undefined || role !== wanted) {
      tell({
        check,
        state: 'wrong',
        says: `The session's role is ${role ?? 'none'}, expected ${wanted ?? "the user's default role"}.`,
        mend:
          wanted === undefined
            ? 'snowflake.role.name=<role>'
            : `GRANT ROLE ${quoted(wanted)} TO USER ${quoted(storedName(config.user))};`,
      })
      return role
    }
    tell({ check, state: 'ok', says: `The session's role is ${role}.` })
    return role
  } catch (error) {
    tell({ check, state: 'wrong', says: wordsOf(error) })
    return undefined
  }
}
