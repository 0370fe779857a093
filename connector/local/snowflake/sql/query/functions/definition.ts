// How a function is declared: what its arguments are cast to, what it answers, and the query engine's text for it.
import { SqlError, unsupported } from '../../../errors.ts'
import type { Session } from '../../session.ts'
import type { Expression } from '../ast.ts'
import { cast } from '../casts.ts'
import {
  ARRAY,
  BINARY,
  BOOLEAN,
  commonType,
  DATE,
  fixed,
  isNumber,
  isSemiStructured,
  isStructured,
  isTimestamp,
  LTZ,
  NTZ,
  NULL,
  OBJECT,
  REAL,
  type SqlType,
  TEXT,
  TIME,
  type Typed,
  VARIANT,
} from '../sql-types.ts'

/** What a function is given beside its arguments. */
export interface CallInput {
  readonly name: string
  readonly args: readonly Typed[]
  readonly expressions: readonly Expression[]
  readonly zone: string
  readonly session: Session
  readonly nowMs: number
}

export interface FunctionDefinition {
  readonly min: number
  readonly max: number
  readonly build: (input: CallInput) => Typed
}

/** `text`, `int`, `num`, … casts the argument; `any` leaves it; a trailing `?` makes it optional. */
type Parameter =
  | 'any'
  | 'text'
  | 'int'
  | 'num'
  | 'real'
  | 'boolean'
  | 'date'
  | 'time'
  | 'ntz'
  | 'moment'
  | 'variant'
  | 'array'
  | 'object'

const TYPES: Readonly<Record<string, SqlType>> = {
  text: TEXT,
  int: fixed(),
  real: REAL,
  boolean: BOOLEAN,
  date: DATE,
  time: TIME,
  ntz: NTZ,
  ltz: LTZ,
  variant: VARIANT,
  array: ARRAY,
  object: OBJECT,
  binary: BINARY,
  null: NULL,
}

export const MANY = 1_000

/** A function of fixed parameters, e.g. `define('text int int?', 'text', (s, n, m) => …)`. */
export function define(
  parameters: string,
  result: SqlType | ((args: readonly Typed[]) => SqlType),
  build: (...args: string[]) => string,
): FunctionDefinition {
  const kinds = parameters === '' ? [] : parameters.split(' ')
  const min = kinds.filter((kind) => !kind.endsWith('?')).length
  return {
    min,
    max: kinds.length,
    build: (input) => {
      const args = input.args.map((arg, index) =>
        coerce(arg, (kinds[index] ?? 'any').replace('?', '') as Parameter, input.zone),
      )
      return {
        sql: `(${build(...args.map(({ sql }) => sql))})`,
        type: typeof result === 'function' ? result(args) : result,
      }
    },
  }
}

/** The argument as the kind that a function wants. */
export function coerce(arg: Typed, kind: Parameter, zone: string): Typed {
  if (kind === 'any') return arg
  if (kind === 'num') return numeric(arg, zone)
  if (kind === 'moment') return moment(arg, zone)
  if (kind === 'variant')
    return isStructured(arg.type) || !isSemiStructured(arg.type)
      ? cast(arg, VARIANT, { zone })
      : arg
  if (kind === 'array' && arg.type.kind === 'list') return cast(arg, ARRAY, { zone })
  const type = TYPES[kind]
  if (type === undefined) throw unsupported(`parameters of kind ${kind}`)
  // A number keeps its exact text and a whole number its digits.
  if (kind === 'int' && arg.type.kind === 'fixed' && arg.type.scale === 0) return arg
  return cast(arg, type, { zone })
}

/** Texts and variants as numbers, numbers as they are. */
export function numeric(arg: Typed, zone: string): Typed {
  if (isNumber(arg.type)) return arg
  if (arg.type.kind === 'null') return cast(arg, fixed(), { zone })
  if (arg.type.kind === 'boolean') return cast(arg, fixed(), { zone })
  // In arithmetic a text is a NUMBER(18,5), a VARIANT a number of any size.
  if (arg.type.kind === 'text') return cast(arg, fixed(5), { zone })
  if (arg.type.kind === 'variant') return cast(arg, REAL, { zone })
  throw invalidArgument(arg)
}

/** Dates, times and timestamps as they are, all else as TIMESTAMP_NTZ. */
export function moment(arg: Typed, zone: string): Typed {
  if (isTimestamp(arg.type) || arg.type.kind === 'date' || arg.type.kind === 'time') return arg
  return cast(arg, NTZ, { zone })
}

const invalidArgument = ({ type }: Typed): SqlError =>
  new SqlError('001044', '42P13', `SQL compilation error:\nInvalid argument type: ${type.kind}`)

/** All arguments in the type that they have in common. */
export function unify(
  args: readonly Typed[],
  zone: string,
): { args: readonly Typed[]; type: SqlType } {
  const type = args.map((arg) => arg.type).reduce(commonType, NULL)
  const wanted = type.kind === 'null' ? TEXT : type
  return { args: args.map((arg) => cast(arg, wanted, { zone })), type: wanted }
}

/** The text of an argument that must be a constant. @throws SqlError 000002 when it is none. */
export function constantText({ name, expressions }: CallInput, index: number): string {
  const expression = expressions[index]
  if (expression?.kind === 'string') return expression.text
  if (expression?.kind === 'column' && expression.parts.length === 1)
    return expression.parts[0] ?? ''
  throw unsupported(`${name} whose argument ${index + 1} is no constant text`)
}

/** The whole number of an argument that must be a constant. */
export function constantInteger({ name, expressions }: CallInput, index: number): number {
  const expression = expressions[index]
  const negative = expression?.kind === 'unary' && expression.operator === '-'
  const literal = negative ? expression.operand : expression
  if (literal?.kind === 'number' && /^\d{1,9}$/.test(literal.text))
    return Number(literal.text) * (negative ? -1 : 1)
  throw unsupported(`${name} whose argument ${index + 1} is no constant whole number`)
}
