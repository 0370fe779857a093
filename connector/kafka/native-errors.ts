// The one place that looks at librdkafka's error codes (RD_KAFKA_RESP_ERR_*: rdkafka.h).
import { ConnectError, DataError, NotFoundError, RetriableError } from '../api/errors.ts'
import type { NativeError } from './native.ts'

export const QUEUE_FULL = -184
export const ASSIGN_PARTITIONS = -175
export const REVOKE_PARTITIONS = -174
export const STATE = -172
export const TLS = -181
export const PREVIOUS_IN_PROGRESS = -177
export const TOPIC_ALREADY_EXISTS = 36
export const UNKNOWN_GROUP = 69

type Meaning = 'retriable' | 'record' | 'absent' | 'credentials' | 'fatal'

const CODES: Readonly<Record<Meaning, readonly number[]>> = {
  // Connections, time-outs, elections, coordinators that move, a topic that is not there yet.
  retriable: [
    -197, -195, -193, -192, -187, -185, -184, -180, -177, -152, -151, 5, 6, 7, 8, 9, 13, 14, 15, 16,
    19, 20, 27, 41, 51, 56, 60, 74, 75, 78, 79, 89, 113,
  ],
  /** This record, and no other one. */
  record: [2, 4, 10, 12, 18, 32, 87],
  absent: [-190, -188, 3, 69, 100],
  credentials: [-181, -169, 29, 30, 31, 33, 34, 53, 58, 65, 66],
  // A producer or group member that cannot go on, or never could with this configuration.
  fatal: [
    -150, -144, -140, 21, 23, 24, 26, 28, 35, 44, 45, 47, 48, 49, 50, 67, 76, 81, 82, 90, 111, 112,
  ],
}
const MEANINGS: ReadonlyMap<number, Meaning> = new Map(
  Object.entries(CODES).flatMap(([meaning, codes]) =>
    codes.map((code): [number, Meaning] => [code, meaning as Meaning]),
  ),
)

/** What an error code means for us; undefined: nothing in particular. */
export const meaningOf = (code: number): Meaning | undefined => MEANINGS.get(code)

/** An error that ends this client: its credentials are refused, or the group or the log fenced it off. */
export const endsClient = (code: number): boolean => {
  const meaning = meaningOf(code)
  return meaning === 'fatal' || meaning === 'credentials'
}

/** The error of a call: `what` says what was tried, `reasons` are librdkafka's latest log lines. */
export function callError(
  what: string,
  cause: NativeError,
  reasons: readonly string[] = [],
): Error {
  const message = `${what}: ${[`${cause.message} (${cause.code})`, ...reasons].join('; ')}`
  switch (meaningOf(cause.code)) {
    case 'retriable':
      return new RetriableError(message, { cause })
    case 'absent':
      return new NotFoundError(message, { cause })
    case 'record':
      return new DataError(message, { cause })
    case 'credentials':
    case 'fatal':
    case undefined:
    default:
      return new ConnectError(message, { cause })
  }
}

/** The error of a message that was not delivered. A topic that does not exist may exist later. */
export function deliveryError(what: string, cause: NativeError): Error {
  return meaningOf(cause.code) === 'absent'
    ? new RetriableError(`${what}: ${cause.message} (${cause.code})`, { cause })
    : callError(what, cause)
}

/** Narrows what the library throws. */
export function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number'
}

/** Finds the code of an error event, which carries only librdkafka's text of it. */
export function eventCodes(
  codes: readonly number[],
  textOf: (code: number) => string,
): (error: NativeError) => number | undefined {
  const byText = new Map<string, number>()
  for (const code of codes) {
    // The library splits `Local: Some text` and lower-cases both parts.
    const [first = '', second] = textOf(code).toLowerCase().split(': ')
    byText.set(second === undefined ? `unknown/${first}` : `${first}/${second}`, code)
  }
  return (error) => byText.get(`${error.origin ?? 'unknown'}/${error.message}`)
}
