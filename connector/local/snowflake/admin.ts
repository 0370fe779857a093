// The admin API, on a port of its own: `GET|POST|DELETE /faults`, `GET /faults/kinds`. Snowflake has nothing like it.
import { ConfigError } from '../../api/errors.ts'
import type { Warehouse } from '../iceberg/types.ts'
import type { Authenticator } from './auth.ts'
import { ApiError } from './errors.ts'
import {
  FAULT_DESCRIPTIONS,
  type FaultAction,
  type FaultMatch,
  type Faults,
  parseFault,
} from './faults.ts'
import { type Answer, type Call, json, jsonBody } from './http.ts'
import { tableName } from './identifiers.ts'
import type { Ingests } from './streaming/ingests.ts'
import type { PipeChannels } from './streaming/pipe-channels.ts'
import type { TableIngest } from './streaming/table-ingest.ts'

interface AdminOptions {
  readonly faults: Faults
  readonly ingests: Ingests
  readonly auth: Authenticator
  readonly warehouse: Warehouse
}

/** Answers one call of the admin API. */
export async function handleAdmin(call: Call, options: AdminOptions): Promise<Answer> {
  if (call.path === '/faults/kinds' && call.method === 'GET') return json(FAULT_DESCRIPTIONS)
  if (call.path !== '/faults')
    throw new ApiError(404, 'ERR_NOT_FOUND', 'There are only /faults and GET /faults/kinds.')
  const { faults } = options
  if (call.method === 'GET') return json({ faults: faults.list() })
  if (call.method === 'DELETE') {
    faults.clear()
    for (const { pipe } of matchingPipes({}, options)) pipe.isInvalid = false
    return json({ faults: [] })
  }
  if (call.method !== 'POST')
    throw new ApiError(405, 'ERR_METHOD_NOT_ALLOWED', `There is no ${call.method} /faults.`)
  const parsed = parse(await jsonBody(call))
  if ('fault' in parsed) {
    checked(() => faults.add(parsed.fault))
    return json({ faults: faults.list() })
  }
  return json({ channels: await act(parsed.action, parsed.match, options) })
}

const parse = (body: Readonly<Record<string, unknown>>): ReturnType<typeof parseFault> =>
  checked(() => parseFault(body))

/** What the client got wrong is its mistake, not ours. */
function checked<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ApiError(400, 'ERR_INVALID_PAYLOAD', error.message, { cause: error })
  }
}

async function act(action: FaultAction, match: FaultMatch, options: AdminOptions): Promise<number> {
  if (action === 'expire-tokens') {
    options.auth.expireScopedTokens()
    return 0
  }
  let count = 0
  for (const { ingest, pipe } of matchingPipes(match, options)) {
    const channels = pipe
      .all()
      .filter(({ record }) => match.channel === undefined || record.name === match.channel)
    count += channels.length
    if (action === 'invalid-pipe') pipe.isInvalid = true
    for (const channel of channels)
      if (action === 'invalidate') channel.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED'
      else if (action === 'invalid-pipe') channel.invalidatePipe()
      else
        await ingest.open(pipe, channel.record.name, {
          offsetToken: undefined,
          failOnUncommittedRows: false,
        })
  }
  return count
}

function matchingPipes(
  match: FaultMatch,
  { ingests, warehouse }: AdminOptions,
): readonly { ingest: TableIngest; pipe: PipeChannels }[] {
  return warehouse
    .databases()
    .flatMap((database) =>
      warehouse.schemas(database).flatMap((schema) => warehouse.tables(database, schema)),
    )
    .filter(
      ({ identifier }) => match.table === undefined || tableName(identifier).includes(match.table),
    )
    .flatMap((table) => ingests.pipesOf(table).map((pipe) => ({ ingest: ingests.of(table), pipe })))
}
