import { syntaxError } from '../errors.ts'
import { type Token, tokenize } from './tokens.ts'

/** Walks over the tokens of one statement. Words match in any case; `expect…` throws 001003. */
export class TokenReader {
  readonly sql: string
  readonly tokens: readonly Token[]
  /** Index of the next token. */
  at = 0

  constructor(sql: string, tokens: readonly Token[] = tokenize(sql)) {
    this.sql = sql
    this.tokens = tokens
  }

  peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]
    if (token === undefined) throw syntaxError('the statement is empty')
    return token
  }

  next(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.at++
    return token
  }

  get isAtEnd(): boolean {
    return this.peek().kind === 'end'
  }

  /** True when the next tokens are these words or symbols; does not move. */
  sees(...words: readonly string[]): boolean {
    return words.every((word, ahead) => {
      const token = this.peek(ahead)
      return (token.kind === 'word' || token.kind === 'symbol') && token.value === word
    })
  }

  /** Moves over these words or symbols if all of them are next. */
  take(...words: readonly string[]): boolean {
    if (!this.sees(...words)) return false
    this.at += words.length
    return true
  }

  expect(...words: readonly string[]): void {
    if (!this.take(...words)) throw this.unexpected(words.join(' '))
  }

  /** A name, folded. */
  expectName(): string {
    const token = this.next()
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.unexpected('a name', token)
    return token.value
  }

  expectString(): string {
    const token = this.next()
    if (token.kind !== 'string') throw this.unexpected('a string', token)
    return token.value
  }

  expectInteger(): number {
    const token = this.next()
    const value = Number(token.text)
    if (token.kind !== 'number' || !Number.isSafeInteger(value))
      throw this.unexpected('an integer', token)
    return value
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw this.unexpected('the end')
  }

  unexpected(expected: string, token: Token = this.peek()): Error {
    const line = this.sql.slice(0, token.start).split('\n').length
    return syntaxError(
      `line ${line} at position ${token.start} unexpected '${token.text === '' ? '<EOF>' : token.text}', expected ${expected}`,
    )
  }
}
