import { ConnectError, toMessage } from '../../api/errors.ts'

/** What a REST call is refused with: the HTTP status and Snowflake's code, sent as `{code, message}`. */
export class ApiError extends ConnectError {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    options: ErrorOptions & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options)
    this.status = status
    this.code = code
    this.headers = options.headers ?? {}
  }
}

/** 503: nothing is wrong with the request; the table cannot be written now. */
export const unavailable = (cause: unknown): ApiError =>
  new ApiError(
    503,
    'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
    `The table cannot be written now: ${toMessage(cause)}`,
    { cause },
  )

/** What a statement is refused with: Snowflake's error code and SQLSTATE. */
export class SqlError extends ConnectError {
  readonly code: string
  readonly sqlState: string

  constructor(code: string, sqlState: string, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.sqlState = sqlState
  }
}

/** 002003: the object is missing. */
export const doesNotExist = (kind: string, name: string): SqlError =>
  new SqlError(
    '002003',
    '42S02',
    `SQL compilation error:\n${kind} '${name}' does not exist or not authorized.`,
  )

/** 001003: the text is not a statement that anybody would understand. */
export const syntaxError = (text: string): SqlError =>
  new SqlError('001003', '42000', `SQL compilation error:\nsyntax error ${text}.`)

/** 000002: Snowflake may well have it, the local endpoint does not; refused by name, never guessed. */
export const unsupported = (what: string): SqlError =>
  new SqlError('000002', '0A000', `Unsupported feature '${what}' in the embedded endpoint.`)

/** 002002: CREATE found that it is there. */
export const alreadyExists = (kind: string, name: string): SqlError =>
  new SqlError(
    '002002',
    '42710',
    `SQL compilation error:\nObject '${name}' already exists as ${kind.toUpperCase()}.`,
  )
