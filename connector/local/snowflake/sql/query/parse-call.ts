// A function call with all that may follow it: named arguments, DISTINCT, WITHIN GROUP, IGNORE NULLS, OVER.
import { unsupported } from '../../errors.ts'
import type { Expression, Frame, FrameBound, FunctionCall, OrderItem, Window } from './ast.ts'
import type { ExpressionParser } from './parse-expression.ts'

/** After the function's name, at its parenthesis. */
export function parseCall(parser: ExpressionParser, name: string): FunctionCall {
  const { reader } = parser
  reader.expect('(')
  const named = new Map<string, Expression>()
  const args: Expression[] = []
  const distinct = reader.take('DISTINCT')
  if (!distinct) reader.take('ALL')
  let star = false
  if (reader.take('*')) star = true
  else if (name === 'EXTRACT') parseExtract(parser, args)
  else if (name === 'POSITION') parsePosition(parser, args)
  else if (!reader.sees(')')) parseArguments(parser, args, named)
  let ignoreNulls = parseNulls(parser)
  reader.expect(')')
  const withinGroup = parseWithinGroup(parser)
  ignoreNulls = parseNulls(parser) || ignoreNulls
  if (reader.sees('FILTER', '(')) throw unsupported(`${name}(…) FILTER`)
  const over = reader.take('OVER') ? parseWindow(parser) : undefined
  return { kind: 'call', name, args, named, distinct, star, withinGroup, ignoreNulls, over }
}

function parseArguments(
  parser: ExpressionParser,
  args: Expression[],
  named: Map<string, Expression>,
): void {
  const { reader } = parser
  do {
    if (reader.peek(1).text === '=>') {
      const key = reader.expectName()
      reader.expect('=>')
      named.set(key, parser.parse())
    } else if (reader.peek(1).text === '->') throw unsupported('lambda functions')
    else if (reader.sees('SELECT') || reader.sees('WITH'))
      args.push({ kind: 'subquery', query: parser.query() })
    else args.push(parser.parse())
  } while (reader.take(','))
}

function parseExtract(parser: ExpressionParser, args: Expression[]): void {
  const { reader } = parser
  args.push({ kind: 'string', text: reader.next().value })
  reader.expect('FROM')
  args.push(parser.parse())
}

function parsePosition(parser: ExpressionParser, args: Expression[]): void {
  args.push(parser.additive())
  if (!parser.reader.take('IN')) parser.reader.expect(',')
  args.push(parser.parse())
  if (parser.reader.take(',')) args.push(parser.parse())
}

function parseNulls({ reader }: ExpressionParser): boolean {
  if (reader.take('IGNORE', 'NULLS')) return true
  reader.take('RESPECT', 'NULLS')
  return false
}

function parseWithinGroup(parser: ExpressionParser): readonly OrderItem[] {
  const { reader } = parser
  if (!reader.take('WITHIN')) return []
  reader.expect('GROUP')
  reader.expect('(')
  reader.expect('ORDER', 'BY')
  const items = parseOrderItems(parser)
  reader.expect(')')
  return items
}

/** The list after ORDER BY. NULL is the largest value. */
export function parseOrderItems(parser: ExpressionParser): readonly OrderItem[] {
  const { reader } = parser
  const items: OrderItem[] = []
  do {
    const expression = parser.parse()
    const descending = reader.take('DESC')
    if (!descending) reader.take('ASC')
    let nullsFirst = descending
    if (reader.take('NULLS', 'FIRST')) nullsFirst = true
    else if (reader.take('NULLS', 'LAST')) nullsFirst = false
    items.push({ expression, descending, nullsFirst })
  } while (reader.take(','))
  return items
}

function parseWindow(parser: ExpressionParser): Window {
  const { reader } = parser
  reader.expect('(')
  const partitionBy = reader.take('PARTITION', 'BY') ? parser.list() : []
  const orderBy = reader.take('ORDER', 'BY') ? parseOrderItems(parser) : []
  const frame = reader.sees('ROWS') || reader.sees('RANGE') ? parseFrame(parser) : undefined
  reader.expect(')')
  return { partitionBy, orderBy, frame }
}

function parseFrame(parser: ExpressionParser): Frame {
  const { reader } = parser
  const unit = reader.next().value === 'ROWS' ? 'ROWS' : 'RANGE'
  if (!reader.take('BETWEEN')) return { unit, from: parseBound(parser), to: undefined }
  const from = parseBound(parser)
  reader.expect('AND')
  return { unit, from, to: parseBound(parser) }
}

function parseBound(parser: ExpressionParser): FrameBound {
  const { reader } = parser
  if (reader.take('CURRENT', 'ROW')) return { kind: 'current', end: '' }
  const kind = reader.take('UNBOUNDED') ? 'unbounded' : 'rows'
  const rows = kind === 'rows' ? parser.additive() : undefined
  const end = reader.take('PRECEDING') ? 'PRECEDING' : 'FOLLOWING'
  if (end === 'FOLLOWING') reader.expect('FOLLOWING')
  return { kind, end, ...(rows !== undefined && { rows }) }
}
