import { unsupported } from '../errors.ts'
import type { TokenReader } from './token-reader.ts'

const TYPES: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR',
  VARCHAR: 'VARCHAR',
  TEXT: 'VARCHAR',
  CHAR: 'VARCHAR',
  BOOLEAN: 'BOOLEAN',
  INT: 'DECIMAL(38,0)',
  INTEGER: 'DECIMAL(38,0)',
  BIGINT: 'DECIMAL(38,0)',
  SMALLINT: 'DECIMAL(38,0)',
  FLOAT: 'DOUBLE',
  DOUBLE: 'DOUBLE',
  REAL: 'DOUBLE',
  DATE: 'DATE',
  TIME: 'TIME',
  TIMESTAMP: 'TIMESTAMP',
  DATETIME: 'TIMESTAMP',
  TIMESTAMP_NTZ: 'TIMESTAMP',
  TIMESTAMP_LTZ: 'TIMESTAMPTZ',
  BINARY: 'BLOB',
}

/** Reads the type of a cast and gives the query engine's. @throws SqlError 000002 for what has no equal there. */
export function engineType(reader: TokenReader): string {
  const name = reader.expectName()
  const parameters: number[] = []
  if (reader.take('(')) {
    do parameters.push(reader.expectInteger())
    while (reader.take(','))
    reader.expect(')')
  }
  if (name === 'NUMBER' || name === 'DECIMAL' || name === 'NUMERIC')
    return `DECIMAL(${parameters[0] ?? 38},${parameters[1] ?? 0})`
  const type = TYPES[name]
  if (type === undefined) throw unsupported(`a cast to ${name}`)
  return type
}
