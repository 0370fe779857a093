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
