/** What a channel's offset token says: the last offset stored, and of which topic where the writer knew it. */
export interface Position {
  /** Undefined for tokens of other clients, which are plain decimals. */
  readonly topicId: string | undefined
  /** -1: nothing is stored yet, begin at offset 0. */
  readonly offset: number
}

/** Kafka prints topic ids in the URL-safe base64 alphabet, so a token needs no escaping and stays below 40 characters. */
const TOKEN = /^(?:([A-Za-z0-9_-]{1,64}):)?(-1|\d{1,16})$/

/** `<topicId>:<offset>`, or the bare offset when the cluster does not tell topic ids. */
export const formatToken = ({ topicId, offset }: Position): string =>
  topicId === undefined ? String(offset) : `${topicId}:${offset}`

/**
 * Null for a channel without a position; undefined for a text that no client that we know writes.
 * A service may say "none" as null or as an empty text.
 */
export function parseToken(token: string | null): Position | null | undefined {
  if (token === null || token === '') return null
  const match = TOKEN.exec(token)
  if (match === null) return undefined
  const offset = Number(match[2])
  return Number.isSafeInteger(offset) ? { topicId: match[1], offset } : undefined
}
