// Expressions, by precedence: OR, AND, NOT, comparisons, additive, multiplicative, sign, then `::`, `:` and `[]`.
import { syntaxError, unsupported } from '../../errors.ts'
import type { TokenReader } from '../token-reader.ts'
import type { Token } from '../tokens.ts'
import type { Expression, Query } from './ast.ts'
import { parseCall } from './parse-call.ts'
import { never } from './never.ts'
import { parseTypeName } from './parse-type.ts'

const DEPTH_MAX = 120
const COMPARISONS = ['=', '<>', '!=', '<=', '>=', '<', '>']

/** Words that end an expression instead of naming a column. */
const RESERVED = new Set(
  'ALL AND ANY AS ASC BETWEEN BY CASE CAST CHECK CONNECT CREATE CROSS DELETE DESC DISTINCT DROP ELSE END EXCEPT EXISTS FALSE FETCH FOR FROM FULL GRANT GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT MINUS NATURAL NOT NULL OF OFFSET ON OR ORDER QUALIFY REGEXP RIGHT RLIKE ROWS SELECT SET SOME THEN TO TRUE UNION UPDATE USING VALUES WHEN WHERE WITH'.split(
    ' ',
  ),
)
/** Reserved words that are functions as well. */
const RESERVED_FUNCTIONS = new Set(['LEFT', 'RIGHT', 'INSERT', 'LIKE', 'RLIKE', 'ILIKE'])

export const isReserved = (token: Token): boolean =>
  token.kind === 'word' && RESERVED.has(token.value)

/** Parses one statement's expressions; `query` parses a subquery that starts at the reader. */
export class ExpressionParser {
  readonly reader: TokenReader
  readonly query: () => Query
  #depth = 0

  constructor(reader: TokenReader, query: () => Query) {
    this.reader = reader
    this.query = query
  }

  parse(): Expression {
    if (++this.#depth > DEPTH_MAX) throw syntaxError('the expression is nested too deeply')
    try {
      return this.#logic('OR', () => this.#logic('AND', () => this.#not()))
    } finally {
      this.#depth--
    }
  }

  list(): readonly Expression[] {
    const items = [this.parse()]
    while (this.reader.take(',')) items.push(this.parse())
    return items
  }

  #logic(operator: 'AND' | 'OR', inner: () => Expression): Expression {
    const first = inner()
    if (!this.reader.sees(operator)) return first
    const operands = [first]
    while (this.reader.take(operator)) operands.push(inner())
    return { kind: 'logic', operator, operands }
  }

  #not(): Expression {
    let negations = 0
    while (this.reader.take('NOT')) negations++
    const operand = this.#comparison()
    return negations % 2 === 0 ? operand : { kind: 'unary', operator: 'NOT', operand }
  }

  #comparison(): Expression {
    let left = this.additive()
    for (;;) {
      const operator = COMPARISONS.find((symbol) => this.reader.take(symbol))
      if (operator !== undefined) {
        if (this.reader.sees('ALL', '(') || this.reader.sees('ANY', '('))
          throw unsupported(`${operator} ${this.reader.peek().value}`)
        left = {
          kind: 'binary',
          operator: operator === '!=' ? '<>' : operator,
          left,
          right: this.additive(),
        }
        continue
      }
      const next = this.#predicate(left)
      if (next === undefined) return left
      left = next
    }
  }

  #predicate(operand: Expression): Expression | undefined {
    const { reader } = this
    if (reader.take('IS')) return this.#is(operand)
    const negated =
      reader.sees('NOT') &&
      ['IN', 'BETWEEN', 'LIKE', 'ILIKE', 'RLIKE', 'REGEXP'].includes(reader.peek(1).value)
    if (negated) reader.take('NOT')
    if (reader.take('IN')) return this.#in(operand, negated)
    if (reader.take('BETWEEN')) {
      const low = this.additive()
      reader.expect('AND')
      return { kind: 'between', operand, low, high: this.additive(), negated }
    }
    const operator = (['LIKE', 'ILIKE', 'RLIKE', 'REGEXP'] as const).find((word) =>
      reader.take(word),
    )
    return operator === undefined
      ? undefined
      : this.#like(operand, operator === 'REGEXP' ? 'RLIKE' : operator, negated)
  }

  #is(operand: Expression): Expression {
    const { reader } = this
    const negated = reader.take('NOT')
    if (reader.take('NULL')) return { kind: 'is-null', operand, negated }
    if (reader.take('TRUE')) return { kind: 'is-boolean', operand, value: true, negated }
    if (reader.take('FALSE')) return { kind: 'is-boolean', operand, value: false, negated }
    reader.expect('DISTINCT', 'FROM')
    return { kind: 'is-distinct', left: operand, right: this.additive(), negated }
  }

  #in(operand: Expression, negated: boolean): Expression {
    const { reader } = this
    reader.expect('(')
    if (reader.sees('SELECT') || reader.sees('WITH')) {
      const query = this.query()
      reader.expect(')')
      return { kind: 'in-query', operand, query, negated }
    }
    const items = this.list().map(partsOf)
    reader.expect(')')
    return { kind: 'in', operand: partsOf(operand), items, negated }
  }

  #like(operand: Expression, operator: 'LIKE' | 'ILIKE' | 'RLIKE', negated: boolean): Expression {
    const { reader } = this
    const many = reader.sees('ANY', '(') || reader.sees('ALL', '(')
    const all = many && reader.peek().value === 'ALL'
    let patterns: readonly Expression[]
    if (many) {
      reader.at += 2
      patterns = this.list()
      reader.expect(')')
    } else patterns = [this.additive()]
    const escape = reader.take('ESCAPE') ? this.additive() : undefined
    return { kind: 'like', operator, operand, patterns, all, escape, negated }
  }

  additive(): Expression {
    return this.#left(['+', '-', '||'], () => this.#left(['*', '/', '%'], () => this.#sign()))
  }

  #left(operators: readonly string[], inner: () => Expression): Expression {
    let left = inner()
    for (;;) {
      const operator = operators.find((symbol) => this.reader.take(symbol))
      if (operator === undefined) return left
      left = { kind: 'binary', operator, left, right: inner() }
    }
  }

  #sign(): Expression {
    let negative = false
    let signs = 0
    for (;;) {
      if (this.reader.take('-')) negative = !negative
      else if (!this.reader.take('+')) break
      signs++
    }
    const operand = this.#postfix(this.#primary())
    if (signs === 0) return operand
    return { kind: 'unary', operator: negative ? '-' : '+', operand }
  }

  #postfix(start: Expression): Expression {
    const { reader } = this
    let base = start
    let isPath = false
    for (;;) {
      if (reader.take('::')) {
        base = { kind: 'cast', operand: base, type: parseTypeName(reader), tolerant: false }
        isPath = false
      } else if (reader.sees(':') || (isPath && reader.sees('.'))) {
        reader.at++
        base = { kind: 'path', base, step: { kind: 'key', name: this.#key() } }
        isPath = true
      } else if (reader.take('[')) {
        const index = this.parse()
        reader.expect(']')
        base = { kind: 'path', base, step: { kind: 'index', index } }
        isPath = true
      } else return base
    }
  }

  /** Keys keep their case. */
  #key(): string {
    const token = this.reader.next()
    if (token.kind === 'word') return token.text
    if (token.kind === 'quoted') return token.value
    throw this.reader.unexpected('a key', token)
  }

  #primary(): Expression {
    const { reader } = this
    const token = reader.peek()
    switch (token.kind) {
      case 'number':
        reader.at++
        return { kind: 'number', text: token.text }
      case 'string':
        reader.at++
        return { kind: 'string', text: token.value }
      case 'bind':
        reader.at++
        return { kind: 'bind', key: token.value }
      case 'quoted':
        return this.#column()
      case 'word':
        return this.#word(token)
      case 'symbol':
        return this.#symbol(token)
      case 'end':
        throw reader.unexpected('an expression', token)
      default:
        return never(token.kind)
    }
  }

  #symbol(token: Token): Expression {
    const { reader } = this
    if (reader.take('(')) {
      const isQuery = reader.sees('SELECT') || reader.sees('WITH')
      const inner: Expression = isQuery ? { kind: 'subquery', query: this.query() } : this.parse()
      const items = isQuery ? [inner] : [inner, ...this.#more()]
      reader.expect(')')
      return items.length === 1 ? inner : { kind: 'call', name: TUPLE, args: items, ...PLAIN_CALL }
    }
    if (reader.take('[')) {
      const items = reader.sees(']') ? [] : this.list()
      reader.expect(']')
      return { kind: 'array', items }
    }
    if (reader.take('{')) return this.#object()
    if (/^\$\d/.test(token.text)) throw unsupported(`the reference ${token.text}`)
    throw reader.unexpected('an expression', token)
  }

  /** `, b, c` after the first. */
  #more(): readonly Expression[] {
    const items: Expression[] = []
    while (this.reader.take(',')) items.push(this.parse())
    return items
  }

  #object(): Expression {
    const { reader } = this
    const entries: { key: string; value: Expression }[] = []
    while (!reader.sees('}')) {
      if (entries.length > 0) reader.expect(',')
      if (reader.sees('*')) throw unsupported('{*}')
      const key = reader.expectString()
      reader.expect(':')
      entries.push({ key, value: this.parse() })
    }
    reader.expect('}')
    return { kind: 'object', entries }
  }

  #word(token: Token): Expression {
    const { reader } = this
    const isCall = reader.peek(1).text === '('
    switch (token.value) {
      case 'NULL':
        reader.at++
        return { kind: 'null' }
      case 'TRUE':
      case 'FALSE':
        reader.at++
        return { kind: 'boolean', value: token.value === 'TRUE' }
      case 'CASE':
        reader.at++
        return this.#case()
      case 'INTERVAL':
        reader.at++
        return { kind: 'interval', text: reader.expectString() }
      case 'EXISTS': {
        reader.at++
        reader.expect('(')
        const query = this.query()
        reader.expect(')')
        return { kind: 'exists', query }
      }
      default:
        break
    }
    if (isCall && (token.value === 'CAST' || token.value === 'TRY_CAST')) return this.#cast()
    if (isCall && (!RESERVED.has(token.value) || RESERVED_FUNCTIONS.has(token.value))) {
      reader.at++
      return parseCall(this, token.value)
    }
    if (['DATE', 'TIME', 'TIMESTAMP'].includes(token.value) && reader.peek(1).kind === 'string') {
      reader.at++
      const operand: Expression = { kind: 'string', text: reader.expectString() }
      return { kind: 'cast', operand, type: { name: token.value, parameters: [] }, tolerant: false }
    }
    if (RESERVED.has(token.value)) throw reader.unexpected('an expression', token)
    return this.#column()
  }

  #cast(): Expression {
    const { reader } = this
    const tolerant = reader.next().value === 'TRY_CAST'
    reader.expect('(')
    const operand = this.parse()
    reader.expect('AS')
    const type = parseTypeName(reader)
    reader.expect(')')
    return { kind: 'cast', operand, type, tolerant }
  }

  #case(): Expression {
    const { reader } = this
    const subject = reader.sees('WHEN') ? undefined : this.parse()
    const branches: { when: Expression; result: Expression }[] = []
    while (reader.take('WHEN')) {
      const when = this.parse()
      reader.expect('THEN')
      branches.push({ when, result: this.parse() })
    }
    if (branches.length === 0) throw reader.unexpected('WHEN')
    const otherwise = reader.take('ELSE') ? this.parse() : undefined
    reader.expect('END')
    return { kind: 'case', subject, branches, otherwise }
  }

  #column(): Expression {
    const { reader } = this
    const parts = [reader.expectName()]
    while (reader.sees('.') && ['word', 'quoted'].includes(reader.peek(1).kind)) {
      reader.at++
      parts.push(reader.expectName())
    }
    if (parts.length > 1 && reader.sees('(')) throw unsupported(`function ${parts.join('.')}`)
    if (parts.length > 4)
      throw syntaxError(`a column has at most four names, got ${parts.join('.')}`)
    return { kind: 'column', parts }
  }
}

/** `(a, b)` as an expression: only IN takes it. */
const TUPLE = '(,)'
const PLAIN_CALL = {
  named: new Map<string, Expression>(),
  distinct: false,
  star: false,
  withinGroup: [],
  ignoreNulls: false,
  over: undefined,
} as const

const partsOf = (expression: Expression): readonly Expression[] =>
  expression.kind === 'call' && expression.name === TUPLE ? expression.args : [expression]
