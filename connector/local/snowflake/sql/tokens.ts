// Snowflake's lexical rules: quoted and unquoted names, strings with '' and backslashes, $$…$$, comments, binds.

import { syntaxError } from '../errors.ts'
import { foldName } from '../identifiers.ts'

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'bind' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written. */
  readonly text: string
  /** Words in upper case; the name inside quotes; the content of a string; the key of a bind. */
  readonly value: string
  readonly start: number
  readonly end: number
}

const TOKENS_MAX = 100_000
const SPACE = /(?:\s+|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['word', /[A-Za-z_][\w$]*/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['string', /'(?:[^'\\]|''|\\[\s\S])*'|\$\$[\s\S]*?\$\$/y],
  ['bind', /\?|:\d+(?!\w)/y],
  ['symbol', /::|<>|!=|<=|>=|\|\||=>|->|\$\d+|[-+*/%(),.;:<>=[\]{}@]/y],
]

/** The tokens of a text, the last one of kind `end`. @throws SqlError 001003 at what is no token. */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = []
  let at = skipSpace(sql, 0)
  let binds = 0
  while (at < sql.length) {
    const token = readToken(sql, at)
    if (token === undefined)
      throw syntaxError(`line 1 at position ${at} unexpected '${sql.slice(at, at + 20)}'`)
    if (token.kind === 'bind' && token.text !== '?' && isValueEnd(tokens.at(-1))) {
      // `{'a':1}`: a colon, then a number.
      tokens.push({ ...token, kind: 'symbol', text: ':', value: ':', end: token.start + 1 })
      at = token.start + 1
      continue
    }
    if (token.kind === 'bind')
      tokens.push({ ...token, value: token.text === '?' ? String(++binds) : token.text.slice(1) })
    else tokens.push(token)
    if (tokens.length > TOKENS_MAX) throw syntaxError('the statement is too long')
    at = skipSpace(sql, token.end)
  }
  tokens.push({ kind: 'end', text: '', value: '', start: sql.length, end: sql.length })
  return tokens
}

const isValueEnd = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.kind === 'quoted' || token.kind === 'string' || token.text === ')' || token.text === ']')

function skipSpace(sql: string, from: number): number {
  SPACE.lastIndex = from
  return SPACE.test(sql) ? SPACE.lastIndex : from
}

function readToken(sql: string, at: number): Token | undefined {
  for (const [kind, rule] of RULES) {
    rule.lastIndex = at
    const text = rule.exec(sql)?.[0]
    if (text === undefined) continue
    return { kind, text, value: valueOf(kind, text), start: at, end: at + text.length }
  }
  return undefined
}

function valueOf(kind: TokenKind, text: string): string {
  if (kind === 'word' || kind === 'quoted') return foldName(text)
  return kind === 'string' ? unquoteString(text) : text
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  0: '\0',
}

function unquoteString(text: string): string {
  if (text.startsWith('$$')) return text.slice(2, -2)
  return text
    .slice(1, -1)
    .replaceAll(/''|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([\s\S])/g, (all, u, x, other) => {
      if (all === "''") return "'"
      const code = (u ?? x) as string | undefined
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
      return ESCAPES[other as string] ?? (other as string)
    })
}

/** A text as a SQL string literal of DuckDB. */
export const sqlString = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** A name as a quoted identifier. */
export const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`
