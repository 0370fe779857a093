// SELECT, VALUES, set operations, WITH, ORDER BY, LIMIT: the statement as a tree, or an error that names what
// is not understood.
import { SqlError, syntaxError, unsupported } from '../../errors.ts'
import type { TokenReader } from '../token-reader.ts'
import type {
  CommonTable,
  Expression,
  GroupBy,
  OrderItem,
  Query,
  QueryBody,
  Select,
  SelectItem,
} from './ast.ts'
import { parseOrderItems } from './parse-call.ts'
import { ExpressionParser, isReserved } from './parse-expression.ts'
import { parseFrom } from './parse-from.ts'

const DEPTH_MAX = 60

/** Parses the query that is the rest of the statement. @throws SqlError 001003, 000002 */
export function parseQuery(reader: TokenReader): Query {
  const query = new QueryParser(reader).query()
  if (reader.take(';') && !reader.isAtEnd)
    throw new SqlError(
      '000006',
      '0A000',
      'Actual statement count 2 did not match the desired statement count 1.',
    )
  reader.expectEnd()
  return query
}

export class QueryParser {
  readonly reader: TokenReader
  readonly expressions: ExpressionParser
  #depth = 0

  constructor(reader: TokenReader) {
    this.reader = reader
    this.expressions = new ExpressionParser(reader, () => this.query())
  }

  query(): Query {
    if (++this.#depth > DEPTH_MAX) throw syntaxError('the query is nested too deeply')
    try {
      return this.#query()
    } finally {
      this.#depth--
    }
  }

  #query(): Query {
    const { reader } = this
    const hasWith = reader.take('WITH')
    const recursive = hasWith && reader.take('RECURSIVE')
    const tables: CommonTable[] = []
    if (hasWith)
      do tables.push(this.#commonTable())
      while (reader.take(','))
    const body = this.#setOperation()
    const { orderBy, orderByAll } = this.#orderBy()
    const { limit, offset } = this.#limit()
    const top = body.kind === 'select' ? this.#top : undefined
    this.#top = undefined
    return { with: tables, recursive, body, orderBy, orderByAll, limit: limit ?? top, offset }
  }

  #top: Expression | undefined

  #commonTable(): CommonTable {
    const { reader } = this
    const name = reader.expectName()
    const columns = this.nameList()
    reader.expect('AS')
    reader.expect('(')
    const query = this.query()
    reader.expect(')')
    return { name, columns, query }
  }

  /** `(a, b)`, or nothing. */
  nameList(): readonly string[] {
    const { reader } = this
    if (!reader.take('(')) return []
    const names = [reader.expectName()]
    while (reader.take(',')) names.push(reader.expectName())
    reader.expect(')')
    return names
  }

  #setOperation(): QueryBody {
    let left = this.#intersection()
    for (;;) {
      const operator = ['UNION', 'EXCEPT', 'MINUS'].find((word) => this.reader.take(word))
      if (operator === undefined) return left
      const isAll = this.reader.take('ALL')
      if (!isAll) this.reader.take('DISTINCT')
      if (this.reader.sees('BY', 'NAME')) throw unsupported('UNION BY NAME')
      if (isAll && operator !== 'UNION') throw unsupported(`${operator} ALL`)
      const name = operator === 'MINUS' ? 'EXCEPT' : operator
      left = {
        kind: 'set',
        operator: isAll ? `${name} ALL` : name,
        left,
        right: this.#intersection(),
      }
    }
  }

  #intersection(): QueryBody {
    let left = this.#term()
    while (this.reader.take('INTERSECT')) {
      if (this.reader.sees('ALL')) throw unsupported('INTERSECT ALL')
      left = { kind: 'set', operator: 'INTERSECT', left, right: this.#term() }
    }
    return left
  }

  #term(): QueryBody {
    const { reader } = this
    if (reader.take('(')) {
      const query = this.query()
      reader.expect(')')
      return { kind: 'nested', query }
    }
    if (reader.take('VALUES')) return { kind: 'values', rows: this.rows() }
    return this.#select()
  }

  rows(): readonly (readonly Expression[])[] {
    const { reader } = this
    const rows: (readonly Expression[])[] = []
    do {
      reader.expect('(')
      rows.push(this.expressions.list())
      reader.expect(')')
    } while (reader.take(','))
    return rows
  }

  #select(): Select {
    const { reader } = this
    reader.expect('SELECT')
    const distinct = reader.take('DISTINCT')
    if (!distinct) reader.take('ALL')
    const top = reader.sees('TOP') && reader.peek(1).kind === 'number'
    if (top) {
      reader.at++
      this.#top = this.expressions.additive()
    }
    const own = this.#top
    this.#top = undefined
    const items = [this.#item()]
    while (reader.take(',')) items.push(this.#item())
    if (reader.sees('INTO')) throw unsupported('SELECT INTO')
    const from = reader.take('FROM') ? parseFrom(this) : undefined
    if (reader.sees('CONNECT') || reader.sees('START')) throw unsupported('CONNECT BY')
    const where = reader.take('WHERE') ? this.expressions.parse() : undefined
    const groupBy = reader.take('GROUP', 'BY') ? this.#groupBy() : undefined
    const having = reader.take('HAVING') ? this.expressions.parse() : undefined
    const qualify = reader.take('QUALIFY') ? this.expressions.parse() : undefined
    if (reader.sees('WINDOW')) throw unsupported('WINDOW')
    this.#top = own
    return { kind: 'select', distinct, items, from, where, groupBy, having, qualify }
  }

  #item(): SelectItem {
    const { reader } = this
    const qualifier = this.#starQualifier()
    if (qualifier !== undefined) return this.#star(qualifier)
    const { start } = reader.peek()
    const expression = this.expressions.parse()
    const text = reader.sql.slice(start, reader.peek(-1).end)
    return { kind: 'expression', expression, alias: this.alias(), text }
  }

  /** The names before `.*`, and moves over the star; undefined when none is next. */
  #starQualifier(): readonly string[] | undefined {
    const { reader } = this
    const names: string[] = []
    let ahead = 0
    while (
      ['word', 'quoted'].includes(reader.peek(ahead).kind) &&
      reader.peek(ahead + 1).text === '.'
    ) {
      names.push(reader.peek(ahead).value)
      ahead += 2
    }
    if (reader.peek(ahead).text !== '*') return undefined
    reader.at += ahead + 1
    return names
  }

  #star(qualifier: readonly string[]): SelectItem {
    const { reader } = this
    const ilike = reader.take('ILIKE') ? reader.expectString() : undefined
    let exclude: readonly string[] = []
    if (reader.take('EXCLUDE')) exclude = reader.sees('(') ? this.nameList() : [reader.expectName()]
    if (reader.sees('REPLACE')) throw unsupported('SELECT * REPLACE')
    const rename = new Map<string, string>()
    if (reader.take('RENAME')) {
      const readOne = (): void => {
        const from = reader.expectName()
        reader.expect('AS')
        rename.set(from, reader.expectName())
      }
      if (reader.take('(')) {
        do readOne()
        while (reader.take(','))
        reader.expect(')')
      } else readOne()
    }
    return { kind: 'star', qualifier, exclude, rename, ilike }
  }

  /** `AS name`, `name`, or nothing. */
  alias(): string | undefined {
    const { reader } = this
    if (reader.take('AS')) return reader.expectName()
    const token = reader.peek()
    if (
      token.kind !== 'quoted' &&
      (token.kind !== 'word' || isReserved(token) || CLAUSES.has(token.value))
    )
      return undefined
    return reader.expectName()
  }

  #groupBy(): GroupBy {
    const { reader } = this
    if (reader.take('ALL')) return { kind: 'all', sets: [] }
    const kind = reader.sees('ROLLUP', '(')
      ? 'rollup'
      : reader.sees('CUBE', '(')
        ? 'cube'
        : undefined
    if (kind !== undefined) {
      reader.at += 2
      const set = this.expressions.list()
      reader.expect(')')
      return { kind, sets: [set] }
    }
    if (!reader.take('GROUPING', 'SETS')) return { kind: 'list', sets: [this.expressions.list()] }
    reader.expect('(')
    const sets: (readonly Expression[])[] = []
    do {
      if (!reader.take('(')) sets.push([this.expressions.parse()])
      else {
        sets.push(reader.sees(')') ? [] : this.expressions.list())
        reader.expect(')')
      }
    } while (reader.take(','))
    reader.expect(')')
    return { kind: 'sets', sets }
  }

  #orderBy(): { orderBy: readonly OrderItem[]; orderByAll: 'asc' | 'desc' | undefined } {
    const { reader } = this
    if (!reader.take('ORDER', 'BY')) return { orderBy: [], orderByAll: undefined }
    if (reader.take('ALL')) {
      const descending = reader.take('DESC')
      if (!descending) reader.take('ASC')
      return { orderBy: [], orderByAll: descending ? 'desc' : 'asc' }
    }
    return { orderBy: parseOrderItems(this.expressions), orderByAll: undefined }
  }

  #limit(): { limit: Expression | undefined; offset: Expression | undefined } {
    const { reader } = this
    let limit: Expression | undefined
    let offset: Expression | undefined
    if (reader.take('LIMIT')) limit = this.expressions.additive()
    if (reader.take('OFFSET')) {
      offset = this.expressions.additive()
      if (!reader.take('ROWS')) reader.take('ROW')
    }
    if (reader.take('FETCH')) {
      if (!reader.take('FIRST')) reader.take('NEXT')
      limit = this.expressions.additive()
      if (!reader.take('ROWS')) reader.take('ROW')
      reader.take('ONLY')
    }
    return { limit, offset }
  }
}

/** Words that are no alias although Snowflake does not reserve them. */
const CLAUSES = new Set([
  'AT',
  'BEFORE',
  'ASOF',
  'PIVOT',
  'UNPIVOT',
  'SAMPLE',
  'TABLESAMPLE',
  'MATCH_RECOGNIZE',
  'CHANGES',
  'START',
  'WINDOW',
])
