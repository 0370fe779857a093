// ERROR_TABLE(t): the rows that streaming into t refused, as Snowflake's error tables show them.
import { existsSync } from 'node:fs'
import type { Warehouse } from '../../iceberg/types.ts'
import { tableName } from '../identifiers.ts'
import { errorFiles } from '../streaming/error-log.ts'
import { existingTable } from './object-name.ts'
import type { CompiledQuery } from './query/compiled.ts'
import { fixed, LTZ, OBJECT, TEXT } from './query/sql-types.ts'
import type { Session } from './session.ts'

const COLUMNS = [
  { name: 'TIMESTAMP', type: LTZ },
  { name: 'QUERY_ID', type: TEXT },
  { name: 'ERROR_CODE', type: fixed() },
  { name: 'ERROR_METADATA', type: OBJECT },
  { name: 'ERROR_DATA', type: TEXT },
]

const EMPTY = `SELECT NULL::TIMESTAMPTZ AS c1, NULL::VARCHAR AS c2, NULL::BIGINT AS c3, NULL::JSON AS c4, NULL::VARCHAR AS c5 WHERE FALSE`

const FIELDS = `{timestampMs: 'BIGINT', tableUuid: 'VARCHAR', pipe: 'VARCHAR', channel: 'VARCHAR', offsetLowerBound: 'VARCHAR', offsetUpperBound: 'VARCHAR', code: 'BIGINT', message: 'VARCHAR', isTruncated: 'BOOLEAN', data: 'VARCHAR'}`

const METADATA = `json_object('error_message', message, 'error_source', NULL, 'service', 'snowpipe_streaming', 'details', json_object('pipe_name', pipe, 'channel_name', channel, 'offset_token_lower_bound', offsetLowerBound, 'offset_token_upper_bound', offsetUpperBound, 'error_data_truncated', isTruncated, 'error_data_content_type', CASE WHEN json_valid(data) THEN 'json' ELSE 'json-invalid' END))`

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The table functions that streaming adds to SQL, reading the error log in `folder`. */
export const errorTableFunction =
  (warehouse: Warehouse, folder: string) =>
  (name: string, args: readonly string[], session: Session): CompiledQuery | undefined => {
    const [given] = args
    if (name !== 'ERROR_TABLE' || given === undefined || args.length !== 1) return undefined
    const table = existingTable(warehouse, given.split('.'), session)
    const files = errorFiles(folder, tableName(table.identifier)).filter((file) => existsSync(file))
    if (files.length === 0) return { sql: EMPTY, columns: COLUMNS }
    // A line that is being written is not there yet.
    const read = `read_json([${files.map(literal).join(', ')}], format = 'newline_delimited', columns = ${FIELDS}, ignore_errors = true)`
    return {
      sql: `SELECT to_timestamp(timestampMs / 1000.0) AS c1, NULL::VARCHAR AS c2, code AS c3, ${METADATA} AS c4, data AS c5 FROM ${read} WHERE tableUuid = ${literal(table.uuid)}`,
      columns: COLUMNS,
    }
  }
