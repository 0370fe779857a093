/** What came of one poll of a feed. */
export type PollOutcome =
  /** A new body was read. */
  | 'OK'
  /** The same body as before, or 304. */
  | 'UNCHANGED'
  /** A body older than the last one; dropped, unless it is the third in a row. */
  | 'REGRESSED'
  /** Far fewer entities than usual; believed the third time in a row. */
  | 'SHRUNK'
  | 'EMPTY'
  | 'NOT_PROTOBUF'
  | 'NOT_JSON'
  /** An answer in the right format that holds an error instead of data. */
  | 'SERVICE_ERROR'
  /** The connection or the message ended early. */
  | 'TRUNCATED'
  /** Larger than max.bytes or max.entities allow. */
  | 'TOO_LARGE'
  | 'HTTP_ERROR'
  | 'THROTTLED'
  | 'TIMEOUT'
  | 'NETWORK'
  /** Will not get better by itself: a wrong path or key. */
  | 'CONFIG'

/** Whether the feed did its duty. */
export const isGood = (outcome: PollOutcome): boolean => outcome === 'OK' || outcome === 'UNCHANGED'
