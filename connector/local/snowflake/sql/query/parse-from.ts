// FROM: tables with time travel, subqueries, VALUES, table functions, joins.
import { syntaxError, unsupported } from '../../errors.ts'
import { TokenReader } from '../token-reader.ts'
import type { Expression, FromItem, FunctionCall, TimeTravel } from './ast.ts'
import { parseCall } from './parse-call.ts'
import type { QueryParser } from './parse-query.ts'

const REFUSED = ['PIVOT', 'UNPIVOT', 'SAMPLE', 'TABLESAMPLE', 'MATCH_RECOGNIZE', 'CHANGES', 'ASOF']
const JOINS_MAX = 200

/** After FROM. */
export function parseFrom(parser: QueryParser): FromItem {
  const { reader } = parser
  let left = parseJoined(parser)
  while (reader.take(',')) {
    const right = parseJoined(parser)
    left = { kind: 'join', type: 'CROSS', left, right, on: undefined, using: [], natural: false }
  }
  return left
}

function parseJoined(parser: QueryParser): FromItem {
  const { reader } = parser
  let left = parseFactor(parser)
  for (let joins = 0; ; joins++) {
    if (joins > JOINS_MAX) throw syntaxError('too many joins')
    const refused = REFUSED.find((word) => reader.sees(word))
    if (refused !== undefined) throw unsupported(refused)
    const natural = reader.take('NATURAL')
    const type = joinType(parser)
    if (type === undefined) {
      if (natural) throw reader.unexpected('JOIN')
      return left
    }
    const right = parseFactor(parser)
    let on: Expression | undefined
    let using: readonly string[] = []
    if (reader.take('ON')) on = parser.expressions.parse()
    else if (reader.take('USING')) using = parser.nameList()
    left = {
      kind: 'join',
      type: type === 'INNER' && on === undefined && using.length === 0 && !natural ? 'CROSS' : type,
      left,
      right,
      on,
      using,
      natural,
    }
  }
}

function joinType({
  reader,
}: QueryParser): 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS' | undefined {
  if (reader.take('JOIN')) return 'INNER'
  const word = (['INNER', 'CROSS', 'LEFT', 'RIGHT', 'FULL'] as const).find((name) =>
    reader.take(name),
  )
  if (word === undefined) return undefined
  if (word !== 'INNER' && word !== 'CROSS') reader.take('OUTER')
  reader.expect('JOIN')
  return word
}

function parseFactor(parser: QueryParser): FromItem {
  const { reader } = parser
  const lateral = reader.take('LATERAL')
  if (reader.sees('(')) return parseParenthesised(parser, lateral)
  if (reader.take('VALUES')) return { kind: 'values', rows: parser.rows(), ...parseAlias(parser) }
  if (reader.take('TABLE')) {
    reader.expect('(')
    const parts = readParts(reader)
    if (parts.length > 1) throw unsupported(`table function ${parts.join('.')}`)
    const item = parseFunction(parser, parts[0] ?? '')
    reader.expect(')')
    return { ...item, ...parseAlias(parser) }
  }
  const isCall = reader.peek(1).text === '('
  if (isCall && reader.sees('IDENTIFIER')) return parseIdentifier(parser)
  if (isCall && (lateral || reader.sees('FLATTEN') || reader.sees('ERROR_TABLE'))) {
    const item = parseFunction(parser, reader.expectName())
    return { ...item, ...parseAlias(parser) }
  }
  if (isCall && !reader.sees('AT') && !reader.sees('BEFORE') && reader.peek().kind === 'word')
    throw unsupported(`${reader.peek().value}(…) in FROM`)
  if (reader.peek().kind === 'symbol' && reader.peek().text === '@') throw unsupported('stages')
  return parseTable(parser, readParts(reader))
}

function readParts(reader: TokenReader): readonly string[] {
  const parts = [reader.expectName()]
  while (reader.take('.')) {
    // `db..table` means the schema PUBLIC.
    if (reader.take('.')) parts.push('PUBLIC')
    parts.push(reader.expectName())
  }
  if (parts.length > 3) throw syntaxError(`a table has at most three names, got ${parts.join('.')}`)
  return parts
}

function parseTable(parser: QueryParser, parts: readonly string[]): FromItem {
  const travel = parseTimeTravel(parser)
  return { kind: 'table', parts, travel, ...parseAlias(parser) }
}

function parseIdentifier(parser: QueryParser): FromItem {
  const { reader } = parser
  reader.expect('IDENTIFIER', '(')
  const token = reader.next()
  if (token.kind !== 'string') throw unsupported('IDENTIFIER of anything but a text in FROM')
  reader.expect(')')
  const inner = new TokenReader(token.value)
  const parts = readParts(inner)
  inner.expectEnd()
  return parseTable(parser, parts)
}

function parseParenthesised(parser: QueryParser, lateral: boolean): FromItem {
  const { reader } = parser
  const isQuery = ['SELECT', 'WITH', 'VALUES', '('].includes(reader.peek(1).value)
  reader.expect('(')
  if (!isQuery) {
    const inner = parseFrom(parser)
    reader.expect(')')
    return inner
  }
  const query = parser.query()
  reader.expect(')')
  return { kind: 'query', query, lateral, ...parseAlias(parser) }
}

function parseFunction(
  parser: QueryParser,
  name: string,
): {
  kind: 'function'
  call: FunctionCall
  texts: readonly string[]
  alias: undefined
  columnAliases: []
} {
  const call = parseCall(parser.expressions, name)
  return { kind: 'function', call, texts: [], alias: undefined, columnAliases: [] }
}

function parseAlias(parser: QueryParser): {
  alias: string | undefined
  columnAliases: readonly string[]
} {
  const alias = parser.alias()
  return { alias, columnAliases: alias === undefined ? [] : parser.nameList() }
}

function parseTimeTravel({ reader, expressions }: QueryParser): TimeTravel | undefined {
  const before = reader.sees('BEFORE', '(')
  if (!before && !reader.sees('AT', '(')) return undefined
  reader.at += 2
  const kind = reader.expectName()
  if (kind !== 'TIMESTAMP' && kind !== 'OFFSET') throw unsupported(`time travel to a ${kind}`)
  reader.expect('=>')
  const value = expressions.parse()
  reader.expect(')')
  return { before, kind, value }
}
