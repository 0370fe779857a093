// The Iceberg REST catalog, read-only, laid out as Snowflake's Horizon: warehouse = database, namespace = schema.
import type { Warehouse } from '../iceberg/types.ts'
import type { Answer, Call } from './http.ts'
import { json } from './http.ts'
import { visibleDatabases } from './sql/object-name.ts'

const BASE = '/polaris/api/catalog/v1'

/** True for the paths that `handleRestCatalog` answers. */
export const isRestCatalogPath = (path: string): boolean => path.startsWith(`${BASE}/`)

const ENDPOINTS = [
  'GET /v1/{prefix}/namespaces',
  'GET /v1/{prefix}/namespaces/{namespace}',
  'HEAD /v1/{prefix}/namespaces/{namespace}',
  'GET /v1/{prefix}/namespaces/{namespace}/tables',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
] as const

const error = (status: number, type: string, message: string): Answer =>
  json({ error: { message, type, code: status } }, status)
const noContent = (): Answer => ({ status: 204, body: undefined })

/** Answers one call; what would write is refused. Files are read from the local disk, so no credentials are given. */
export function handleRestCatalog(call: Call, warehouse: Warehouse): Answer {
  const segments = decodePath(call.path.slice(BASE.length + 1))
  if (segments === undefined) return error(400, 'BadRequestException', 'The path is not UTF-8.')
  if (segments.join('/') === 'oauth/tokens' && call.method === 'POST') return token()
  if (call.method !== 'GET' && call.method !== 'HEAD')
    return error(403, 'ForbiddenException', 'This catalog is read-only.')
  if (segments.join('/') === 'config') return config(call, warehouse)
  const [database = '', word, schema, tables, table, ...rest] = segments
  const isKnown = word === 'namespaces' && (tables === undefined || tables === 'tables')
  if (!isKnown || rest.length > 0)
    return error(403, 'ForbiddenException', `There is no ${call.method} ${call.path}.`)
  if (!visibleDatabases(warehouse).includes(database))
    return error(404, 'NotFoundException', `There is no database ${database}.`)
  if (schema === undefined) return namespaces(call, warehouse.schemas(database))
  if (table !== undefined) return loadTable(call, warehouse, { database, schema, table })
  if (!warehouse.schemas(database).includes(schema))
    return error(404, 'NoSuchNamespaceException', `Namespace does not exist: ${schema}`)
  if (tables === undefined)
    return call.method === 'HEAD' ? noContent() : json({ namespace: [schema], properties: {} })
  const names = warehouse.tables(database, schema).map(({ identifier }) => identifier.table)
  return json({ identifiers: names.map((name) => ({ namespace: [schema], name })) })
}

function decodePath(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map((segment) => decodeURIComponent(segment))
  } catch {
    return undefined // The caller answers 400.
  }
}

/** Any credentials do: reads need none here, but clients set up as for Snowflake ask for a token first. */
const token = (): Answer =>
  json({
    access_token: 'local',
    token_type: 'bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    expires_in: 3_600,
  })

function config(call: Call, warehouse: Warehouse): Answer {
  const database = call.query.get('warehouse') ?? ''
  if (!visibleDatabases(warehouse).includes(database))
    return error(404, 'NotFoundException', `There is no database '${database}'.`)
  return json({ defaults: {}, overrides: { prefix: database }, endpoints: ENDPOINTS })
}

/** One level only: below a parent there is nothing, or engines would descend for ever. */
const namespaces = (call: Call, schemas: readonly string[]): Answer =>
  json({
    namespaces: (call.query.get('parent') ?? '') === '' ? schemas.map((name) => [name]) : [],
  })

/** Also of an unknown namespace it is the table that is missing: Spark reads `T.snapshots` that way. */
function loadTable(
  call: Call,
  warehouse: Warehouse,
  identifier: { database: string; schema: string; table: string },
): Answer {
  const table = warehouse.table(identifier)
  if (table === undefined)
    return error(
      404,
      'NoSuchTableException',
      `Table does not exist: ${identifier.schema}.${identifier.table}`,
    )
  if (call.method === 'HEAD') return noContent()
  return json({
    'metadata-location': table.metadataLocation(),
    metadata: table.metadata(),
    config: {},
  })
}
