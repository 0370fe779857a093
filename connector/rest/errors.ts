import { AlreadyExistsError, ConnectError, NotFoundError, toMessage } from '../api/errors.ts'
import { BadRequestError, ConflictError } from '../runtime/herder.ts'

/** An answer that is an error, with its status. */
export class HttpError extends ConnectError {
  readonly status: number
  /** Kafka Connect's HTTP layer gives its own errors a JSON body without a Content-Type. */
  readonly isUntyped: boolean = false
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

const REASONS: Readonly<Record<number, string>> = {
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  415: 'Unsupported Media Type',
}

class LayerError extends HttpError {
  override readonly isUntyped: boolean
  constructor(status: number, isUntyped: boolean) {
    super(status, `HTTP ${status} ${REASONS[status] ?? ''}`)
    this.isUntyped = isUntyped
  }
}

/** The error that Kafka Connect's HTTP layer itself makes, e.g. `HTTP 404 Not Found`. */
export const layerError = (status: number, isUntyped = true): HttpError =>
  new LayerError(status, isUntyped)

/** Status and message of whatever a handler threw, as Kafka Connect maps its exceptions. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  const message = toMessage(error) || 'Internal error'
  if (error instanceof NotFoundError) return new HttpError(404, message, { cause: error })
  if (error instanceof AlreadyExistsError) return new HttpError(409, message, { cause: error })
  if (error instanceof BadRequestError) return new HttpError(400, message, { cause: error })
  if (error instanceof ConflictError) return new HttpError(409, message, { cause: error })
  return new HttpError(500, message, { cause: error })
}
