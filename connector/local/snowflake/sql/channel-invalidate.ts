// SELECT SYSTEM$STREAMING_CHANNEL_INVALIDATE('<db>.<schema>."<pipe>"', '<channel>'): the channel must be opened again.
import { ApiError, doesNotExist } from '../errors.ts'
import type { Ingests } from '../streaming/ingests.ts'
import { inSchema } from './object-name.ts'
import { column, type ResultSet } from './result.ts'
import { bindOf, type Statement } from './session.ts'
import { TokenReader } from './token-reader.ts'

const FUNCTION = 'SYSTEM$STREAMING_CHANNEL_INVALIDATE'

/** The answer to such a statement, or undefined for any other. @throws SqlError when there is no such channel. */
export function invalidateChannel(statement: Statement, ingests: Ingests): ResultSet | undefined {
  const reader = new TokenReader(statement.sql)
  if (!reader.take('SELECT', FUNCTION, '(')) return undefined
  const pipeName = argument(reader, statement)
  reader.expect(',')
  const channelName = argument(reader, statement)
  reader.expect(')')
  const alias = reader.take('AS') ? reader.expectName() : undefined
  reader.expectEnd()
  const names = new TokenReader(pipeName)
  const parts = [names.expectName()]
  while (names.take('.')) parts.push(names.expectName())
  names.expectEnd()
  const { database, schema, name: pipe } = inSchema(parts, statement.session)
  const channel = find(ingests, { database, schema, pipe })?.get(channelName)
  if (channel === undefined) throw doesNotExist('Channel', channelName)
  channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED'
  return {
    columns: [column(alias ?? `${FUNCTION}(…)`)],
    rows: [[`Channel ${channel.record.name} is invalid now: ${channel.statusCode}`]],
  }
}

function find(
  ingests: Ingests,
  identifier: { database: string; schema: string; pipe: string },
): ReturnType<Ingests['pipe']>['channels'] | undefined {
  try {
    return ingests.pipe(identifier).channels
  } catch (error) {
    if (error instanceof ApiError) throw doesNotExist('Pipe', identifier.pipe)
    throw error
  }
}

function argument(reader: TokenReader, statement: Statement): string {
  const token = reader.next()
  if (token.kind === 'string') return token.value
  if (token.kind === 'bind') return String(bindOf(statement.binds, token.value).value)
  throw reader.unexpected('a text', token)
}
