// Session parameters that drivers need to read results; without BINARY_OUTPUT_FORMAT snowflake-sdk fails.
import type { Session } from '../sql/session.ts'
import { MASTER_SECONDS, SESSION_SECONDS } from './sessions.ts'

const VALUES: Readonly<Record<string, string | number | boolean>> = {
  TIMEZONE: 'UTC',
  BINARY_OUTPUT_FORMAT: 'HEX',
  DATE_OUTPUT_FORMAT: 'YYYY-MM-DD',
  TIME_OUTPUT_FORMAT: 'HH24:MI:SS',
  TIMESTAMP_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM',
  TIMESTAMP_NTZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3',
  TIMESTAMP_LTZ_OUTPUT_FORMAT: '',
  TIMESTAMP_TZ_OUTPUT_FORMAT: '',
  TIMESTAMP_TYPE_MAPPING: 'TIMESTAMP_NTZ',
  // JDBC fails without AUTOCOMMIT, and reads the others as Snowflake's defaults.
  AUTOCOMMIT: true,
  CLIENT_DISABLE_INCIDENTS: true,
  CLIENT_HONOR_CLIENT_TZ_FOR_TIMESTAMP_NTZ: true,
  CLIENT_MEMORY_LIMIT: 1_536,
  CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX: false,
  CLIENT_METADATA_USE_SESSION_DATABASE: false,
  CLIENT_RESULT_CHUNK_SIZE: 160,
  CLIENT_RESULT_COLUMN_CASE_INSENSITIVE: false,
  CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY: 3_600,
  CLIENT_TIMESTAMP_TYPE_MAPPING: 'TIMESTAMP_LTZ',
  JDBC_FORMAT_DATE_WITH_TIMEZONE: false,
  JDBC_TREAT_DECIMAL_AS_INT: true,
  JDBC_USE_SESSION_TIMEZONE: true,
  // Big array binds would be uploaded to a stage, which is not there.
  CLIENT_STAGE_ARRAY_BINDING_THRESHOLD: 0,
  CLIENT_RESULT_PREFETCH_SLOTS: 2,
  CLIENT_RESULT_PREFETCH_THREADS: 1,
  CLIENT_SESSION_KEEP_ALIVE: false,
  CLIENT_TELEMETRY_ENABLED: false,
  ENABLE_STAGE_S3_PRIVATELINK_FOR_US_EAST_1: false,
  QUERY_CONTEXT_CACHE_SIZE: 0,
  NODEJS_QUERY_RESULT_FORMAT: 'JSON',
  PYTHON_CONNECTOR_QUERY_RESULT_FORMAT: 'JSON',
  JDBC_QUERY_RESULT_FORMAT: 'JSON',
  GO_QUERY_RESULT_FORMAT: 'JSON',
  ODBC_QUERY_RESULT_FORMAT: 'JSON',
}

/** As login and query answers carry them, with what the session has changed. */
export const parametersOf = ({
  parameters,
}: Session): readonly { name: string; value: string | number | boolean }[] => {
  const changed = [...(parameters ?? [])].filter(([name]) => SHARED.has(name))
  return Object.entries({ ...VALUES, ...Object.fromEntries(changed) }).map(([name, value]) => ({
    name,
    value,
  }))
}

/** Parameters that drivers follow when the session changes them. */
const SHARED = new Set(['TIMEZONE'])

/** Lifetimes as a login answers them. */
export const VALIDITY = {
  validityInSeconds: SESSION_SECONDS,
  masterValidityInSeconds: MASTER_SECONDS,
} as const
