/** What a continuation token says, opaque to clients: which open of which channel, and which append of it. */
export interface ContinuationToken {
  readonly channel: string
  readonly clientSequencer: number
  readonly rowSequencer: number
  /** Drawn at each open and kept in memory only, so that no token outlives a restart or a drop. */
  readonly nonce: string
}

export const encodeToken = (token: ContinuationToken): string =>
  Buffer.from(
    JSON.stringify([token.channel, token.clientSequencer, token.rowSequencer, token.nonce]),
  ).toString('base64url')

/** Undefined when it is not one of ours. */
export function decodeToken(text: string): ContinuationToken | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (!Array.isArray(value)) return undefined
    const [channel, clientSequencer, rowSequencer, nonce] = value as readonly unknown[]
    if (typeof channel !== 'string' || typeof nonce !== 'string') return undefined
    if (!Number.isSafeInteger(clientSequencer) || !Number.isSafeInteger(rowSequencer))
      return undefined
    return {
      channel,
      clientSequencer: Number(clientSequencer),
      rowSequencer: Number(rowSequencer),
      nonce,
    }
  } catch {
    return undefined // Garbage is an answer, not an error: the caller refuses it by its own code.
  }
}
