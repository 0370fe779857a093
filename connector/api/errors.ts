import { inspect } from 'node:util'

/**
 * The errors that the framework gives a meaning to. A plugin throws one of these; what happens next
 * depends on the class alone, never on the message.
 *
 * | thrown                   | in `put` / `poll`              | in a converter or transform           |
 * | ------------------------ | ------------------------------ | ------------------------------------- |
 * | `RetriableError`         | same batch again, after a wait | retried until `errors.retry.timeout`  |
 * | `DataError`              | task FAILED                    | per `errors.tolerance`: DLQ or FAILED |
 * | any other `ConnectError` | task FAILED                    | per `errors.tolerance`: DLQ or FAILED |
 * | anything else            | task FAILED, logged as a bug   | task FAILED, logged as a bug          |
 */
export class ConnectError extends Error {
  /** Kafka Connect's name of this error, as its headers and traces show it. */
  static readonly javaClassName: string = 'org.apache.kafka.connect.errors.ConnectException'

  /** Set here and not per subclass, so that no subclass can name itself wrongly. */
  override get name(): string {
    return this.constructor.name
  }
}

/** The same call may succeed later: a time-out, a 503, a throttle. */
export class RetriableError extends ConnectError {
  static override readonly javaClassName = 'org.apache.kafka.connect.errors.RetriableException'
  /** Milliseconds that the other side asked us to wait, e.g. from `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** One record can't be read or written, and never will be. */
export class DataError extends ConnectError {
  static override readonly javaClassName = 'org.apache.kafka.connect.errors.DataException'
}

/** A configuration value is missing or unusable. The message names the key. */
export class ConfigError extends ConnectError {
  static override readonly javaClassName = 'org.apache.kafka.common.config.ConfigException'
}

/** What the request names does not exist. Over REST: 404. */
export class NotFoundError extends ConnectError {
  static override readonly javaClassName = 'org.apache.kafka.connect.errors.NotFoundException'
}

/** What the request would make exists. Over REST: 409. */
export class AlreadyExistsError extends ConnectError {
  static override readonly javaClassName = 'org.apache.kafka.connect.errors.AlreadyExistsException'
}

/** The framework was called at a time when the call has no meaning, e.g. a pause of a partition not assigned. */
export class IllegalWorkerStateError extends ConnectError {
  static override readonly javaClassName =
    'org.apache.kafka.connect.errors.IllegalWorkerStateException'
}

const CAUSES_MAX = 16

/** Renders an error and its causes the way the REST API's `trace` field shows them. Never throws. */
export function toTrace(error: unknown): string {
  const lines: string[] = []
  let current = error
  for (let depth = 0; current !== undefined && depth < CAUSES_MAX; depth++) {
    lines.push(depth === 0 ? describe(current) : `Caused by: ${describe(current)}`)
    current = current instanceof Error ? current.cause : undefined
  }
  return lines.join('\n')
}

/** `name: message` of the error and of its causes in one line, for people. Never throws. */
export function toMessage(error: unknown): string {
  const parts: string[] = []
  let current = error
  for (let depth = 0; current !== undefined && depth < CAUSES_MAX; depth++) {
    const text = current instanceof Error ? current.message : describe(current)
    if (text !== '' && parts.at(-1) !== text) parts.push(text)
    current = current instanceof Error ? current.cause : undefined
  }
  return parts.join(': ')
}

function describe(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.stack ?? `${thrown.name}: ${thrown.message}`
    return inspect(thrown, { depth: 2, maxStringLength: 2_000, maxArrayLength: 20 })
  } catch {
    return 'a thrown value that cannot be shown' // A getter of it threw.
  }
}
