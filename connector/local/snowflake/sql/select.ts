// SELECT for the query engine: table names resolved, binds filled in, types and functions translated token by
// token. Nothing is guessed: what is not known here is refused by name.
import { SqlError, syntaxError, unsupported } from '../errors.ts'
import { bindLiteral } from './bind-literal.ts'
import type { SqlContext } from './create-drop.ts'
import { engineType } from './engine-type.ts'
import { DATE_PARTS, engineFunction, NOT_FUNCTIONS } from './functions.ts'
import { existingTable } from './object-name.ts'
import { bindOf, type Statement } from './session.ts'
import { sessionFunction } from './session-functions.ts'
import { TokenReader } from './token-reader.ts'
import { sqlName, sqlString, type Token } from './tokens.ts'

/** What the query engine is asked, and how result columns are named. */
export interface EngineQuery {
  readonly sql: string
  readonly nameOf: (name: string) => string
}

interface Frame {
  /** In upper case; empty for plain parentheses. */
  readonly call: string
  isInFrom: boolean
}

const REFUSED_WORDS = new Set([
  'LATERAL',
  'PIVOT',
  'UNPIVOT',
  'MATCH_RECOGNIZE',
  'SAMPLE',
  'TABLESAMPLE',
  'CONNECT',
  'RLIKE',
  'REGEXP',
  'MODEL',
  'INTO',
  'COLUMNS',
  'ASOF',
  'POSITIONAL',
  'SUMMARIZE',
  'DESCRIBE',
])
const FROM_ENDS = new Set([
  'WHERE',
  'GROUP',
  'HAVING',
  'QUALIFY',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'FETCH',
  'UNION',
  'EXCEPT',
  'MINUS',
  'INTERSECT',
  'SELECT',
  'WINDOW',
])
const NO_PATH_AFTER = new Set([...NOT_FUNCTIONS, 'NULL', 'TRUE', 'FALSE', 'END', 'ASC', 'DESC'])

/** Translates a SELECT or WITH statement. @throws SqlError */
export function translateSelect(statement: Statement, context: SqlContext): EngineQuery {
  return new Translation(statement, context).run()
}

class Translation {
  readonly #statement: Statement
  readonly #context: SqlContext
  readonly #reader: TokenReader
  readonly #out: string[] = []
  readonly #frames: Frame[] = [{ call: '', isInFrom: false }]
  readonly #withNames: ReadonlySet<string>
  /** Names as the result may show them: quoted in the text, or columns of the tables. */
  readonly #exactNames = new Set<string>()
  #expectsTable = false

  constructor(statement: Statement, context: SqlContext) {
    this.#statement = statement
    this.#context = context
    this.#reader = new TokenReader(statement.sql)
    this.#withNames = withNames(this.#reader.tokens)
    for (const { kind, value } of this.#reader.tokens)
      if (kind === 'quoted') this.#exactNames.add(value)
  }

  run(): EngineQuery {
    while (!this.#reader.isAtEnd) this.#token()
    if (this.#frames.length !== 1) throw syntaxError("unexpected '<EOF>', expected )")
    return {
      sql: this.#out.join(' '),
      nameOf: (name) => (this.#exactNames.has(name) ? name : name.toUpperCase()),
    }
  }

  #frame(): Frame {
    const frame = this.#frames.at(-1)
    if (frame === undefined) throw syntaxError("unexpected ')'")
    return frame
  }

  #token(): void {
    const token = this.#reader.peek()
    if (this.#expectsTable) {
      this.#tableFactor(token)
      return
    }
    switch (token.kind) {
      case 'word':
        this.#word(token)
        return
      case 'symbol':
        this.#symbol(token)
        return
      case 'string':
        this.#emit(sqlString(token.value))
        return
      case 'quoted':
        this.#emit(sqlName(token.value))
        return
      case 'bind':
        this.#emit(bindLiteral(bindOf(this.#statement.binds, token.value)))
        return
      case 'number':
        this.#emit(token.text)
        return
      case 'end':
        return
    }
  }

  #emit(text: string, tokens = 1): void {
    this.#reader.at += tokens
    this.#out.push(text)
  }

  #tableFactor(token: Token): void {
    this.#expectsTable = false
    if (token.text === '(') {
      this.#frames.push({ call: '', isInFrom: false })
      const inner = this.#reader.peek(1).value
      this.#expectsTable = !['SELECT', 'WITH', 'VALUES'].includes(inner)
      this.#frame().isInFrom = this.#expectsTable
      this.#emit('(')
      return
    }
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.#reader.unexpected('a table')
    if (REFUSED_WORDS.has(token.value) && token.kind === 'word') throw unsupported(token.value)
    if (this.#reader.peek(1).text === '(' && token.value !== 'IDENTIFIER')
      throw unsupported(`${token.value}(…) in FROM`)
    this.#out.push(this.#tableName())
    if (this.#reader.sees('AT', '(') || this.#reader.sees('BEFORE', '('))
      throw unsupported('time travel')
  }

  #tableName(): string {
    const reader = this.#reader
    const parts = [reader.expectName()]
    while (reader.take('.')) parts.push(reader.expectName())
    const [only = ''] = parts
    if (parts.length === 1 && this.#withNames.has(only)) return sqlName(only)
    if (parts.length > 3)
      throw syntaxError(`a table has at most three names, got ${parts.join('.')}`)
    const table = existingTable(this.#context.warehouse, parts, this.#statement.session)
    for (const { name } of table.schema.fields) this.#exactNames.add(name)
    const { identifier } = table
    return [identifier.database, identifier.schema, identifier.table].map(sqlName).join('.')
  }

  #word(token: Token): void {
    const { value } = token
    const isCall = this.#reader.peek(1).text === '('
    const isQualified = this.#reader.tokens[this.#reader.at - 1]?.text === '.'
    if (isQualified) {
      if (isCall) throw unsupported(`the method call .${value}(…)`)
      this.#emit(sqlName(value))
      return
    }
    if (isCall && !NOT_FUNCTIONS.has(value)) {
      this.#call(value)
      return
    }
    if (REFUSED_WORDS.has(value)) throw unsupported(value)
    this.#keyword(value)
    this.#emit(
      sessionFunction(value, this.#statement.session) ??
        (value === 'MINUS' ? 'EXCEPT' : token.text),
    )
    if (value === 'AS' && ['CAST', 'TRY_CAST'].includes(this.#frame().call))
      this.#out.push(engineType(this.#reader))
  }

  #keyword(value: string): void {
    const frame = this.#frame()
    const previous = this.#reader.tokens[this.#reader.at - 1]
    if (
      value === 'FROM' &&
      frame.call !== 'EXTRACT' &&
      frame.call !== 'TRIM' &&
      previous?.value !== 'DISTINCT'
    ) {
      frame.isInFrom = true
      this.#expectsTable = true
    } else if (value === 'JOIN') this.#expectsTable = true
    else if (FROM_ENDS.has(value)) frame.isInFrom = false
  }

  #call(name: string): void {
    if (name === 'DATE_TRUNC' || name === 'DATEDIFF' || name === 'TIMESTAMPDIFF') {
      this.#datePartCall(name === 'DATE_TRUNC' ? 'date_trunc' : 'date_diff')
      return
    }
    const session = sessionFunction(name, this.#statement.session)
    if (session !== undefined && this.#reader.peek(2).text === ')') {
      this.#emit(session, 3)
      return
    }
    const isSpecial = name === 'CAST' || name === 'TRY_CAST' || name === 'EXTRACT'
    const engine = isSpecial ? name : engineFunction(name)
    if (engine === undefined) throw unsupported(`function ${name}`)
    this.#frames.push({ call: name, isInFrom: false })
    this.#emit(`${engine}(`, 2)
  }

  /** `DATE_TRUNC(part | 'part', …`: the part as the engine's string. */
  #datePartCall(engine: string): void {
    const part = this.#reader.peek(2)
    const name = DATE_PARTS.get(part.value.toUpperCase())
    if (name === undefined || this.#reader.peek(3).text !== ',')
      throw unsupported(`date part ${part.value}`)
    this.#frames.push({ call: '', isInFrom: false })
    this.#emit(`${engine}(${sqlString(name)},`, 4)
  }

  #symbol(token: Token): void {
    switch (token.text) {
      case '(':
        this.#frames.push({ call: '', isInFrom: false })
        this.#emit('(')
        return
      case ')':
        this.#frames.pop()
        this.#frame()
        this.#emit(')')
        return
      case ',':
        this.#expectsTable = this.#frame().isInFrom
        this.#emit(',')
        return
      case '::':
        this.#emit('::')
        this.#out.push(engineType(this.#reader))
        return
      case ':':
        this.#path()
        return
      case '[':
        this.#index()
        return
      case ';':
        this.#reader.at++
        if (!this.#reader.isAtEnd)
          throw new SqlError(
            '000006',
            '0A000',
            'Actual statement count 2 did not match the desired statement count 1.',
          )
        return
      case '$$':
      case '@':
      case '{':
      case '}':
      case '->':
        throw unsupported(`'${token.text}'`)
      default:
        if (token.text.startsWith('$')) throw unsupported(`the reference ${token.text}`)
        this.#emit(token.text === '=>' ? unnamed() : token.text)
    }
  }

  /** `column:key.key`: fields of structured objects. */
  #path(): void {
    if (!this.#isAfterValue()) throw this.#reader.unexpected('an expression')
    this.#reader.at++
    const key = this.#reader.next()
    if (key.kind !== 'word' && key.kind !== 'quoted') throw this.#reader.unexpected('a key', key)
    this.#out.push(`.${sqlName(key.kind === 'word' ? key.text : key.value)}`)
  }

  /** `[n]` counts from 0 in Snowflake and from 1 in the engine; `['key']` is the same in both. */
  #index(): void {
    const [inner, end] = [this.#reader.peek(1), this.#reader.peek(2)]
    if (!this.#isAfterValue() || end.text !== ']')
      throw unsupported('array literals and computed indexes')
    if (inner.kind === 'string') this.#emit(`[${sqlString(inner.value)}]`, 3)
    else if (inner.kind === 'number' && /^\d+$/.test(inner.text))
      this.#emit(`[${Number(inner.text) + 1}]`, 3)
    else throw unsupported('array literals and computed indexes')
  }

  #isAfterValue(): boolean {
    const previous = this.#reader.tokens[this.#reader.at - 1]
    if (previous === undefined) return false
    if (previous.kind === 'word') return !NO_PATH_AFTER.has(previous.value)
    return previous.kind === 'quoted' || previous.text === ')' || previous.text === ']'
  }
}

const unnamed = (): never => {
  throw unsupported('named arguments')
}

/** Names that WITH introduces; they hide tables. */
function withNames(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>()
  if (tokens[0]?.value !== 'WITH') return names
  for (const [index, { kind, value }] of tokens.entries()) {
    const before = tokens[index - 1]?.value
    const isName = kind === 'word' || kind === 'quoted'
    if (!isName || (before !== 'WITH' && before !== 'RECURSIVE' && before !== ',')) continue
    if (tokens[index + 1]?.value === 'AS' && tokens[index + 2]?.text === '(') names.add(value)
  }
  return names
}
