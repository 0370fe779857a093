import { SqlError } from '../errors.ts'
import { tokenize } from './tokens.ts'

const STATEMENTS_MAX = 1_000

/** The statements between the semicolons of a text; empty ones are left out. @throws SqlError */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = []
  let from = 0
  for (const token of tokenize(sql)) {
    if (token.text !== ';' && token.kind !== 'end') continue
    const text = sql.slice(from, token.start)
    if (tokenize(text).length > 1) statements.push(text.trim())
    from = token.end
    if (statements.length > STATEMENTS_MAX)
      throw new SqlError('000008', '0A000', `More than ${STATEMENTS_MAX} statements in one text.`)
  }
  return statements
}
