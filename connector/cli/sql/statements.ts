/** One statement of a script, without its semicolon. */
export interface Statement {
  readonly text: string
  /** Where it begins in the script, from 1. */
  readonly line: number
}

/** What a script holds: whole statements, and what follows the last semicolon. */
export interface Script {
  readonly statements: readonly Statement[]
  /** Empty when the script ends with a semicolon, blanks or comments. */
  readonly rest: Statement | undefined
  /** Whether the end of the script is inside a quoted text or a block comment, which only more text can end. */
  readonly isOpen: boolean
}

/**
 * Everything in which a semicolon does not end a statement, in Snowflake's dialect: '…' with '' and \' inside, "…", $$…$$,
 * comments by --, // and slash-star. An unfinished one runs to the end of the text.
 * https://docs.snowflake.com/en/sql-reference/data-types-text
 */
const TOKEN =
  /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$\$[\s\S]*?(?:\$\$|$)|'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|"(?:[^"]|"")*(?:"|$)|;|[^;'"$\-/]+|[\s\S]/g

const isComment = (token: string): boolean =>
  token.startsWith('--') || token.startsWith('//') || token.startsWith('/*')

const isUnfinished = (token: string): boolean => {
  if (token.startsWith('/*')) return token.length < 4 || !token.endsWith('*/')
  if (token.startsWith('$$')) return token.length < 4 || !token.endsWith('$$')
  const [quote = ''] = token
  if (quote === '"') return !/^"(?:[^"]|"")*"$/.test(token)
  return quote === "'" && !/^'(?:[^'\\]|''|\\[\s\S])*'$/.test(token)
}

/** Cuts a script into its statements. Statements of comments only are left out. */
export function splitScript(script: string): Script {
  const statements: Statement[] = []
  let text = ''
  let line = 1
  let startLine = 1
  let hasCode = false
  let isOpen = false
  const take = (): Statement | undefined =>
    hasCode ? { text: text.trim(), line: startLine } : undefined
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ';') {
      const statement = take()
      if (statement !== undefined) statements.push(statement)
      text = ''
      hasCode = false
      continue
    }
    if (!hasCode && !isComment(token) && token.trim() !== '') {
      hasCode = true
      startLine = line + linesBefore(token)
      text = ''
    }
    text += token
    line += token.split('\n').length - 1
    isOpen = isUnfinished(token)
  }
  return { statements, rest: take(), isOpen }
}

/** Line ends before the first character that is not blank. */
const linesBefore = (token: string): number =>
  (/^\s*/.exec(token)?.[0] ?? '').split('\n').length - 1
