import { toMessage } from '../../connector/api/errors.ts'
import { headerTimestamp, splitMessage } from './wire-message.ts'

const LIVE_FEED_URL = 'https://api-endpoint.mta.info/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-l'
const BODY_BYTES_MAX = 8 * 1024 * 1024

export interface LiveProbe {
  readonly isLive: boolean
  /** Why not, for people; empty when it is. */
  readonly reason: string
}

/**
 * Asks one of MTA's live feeds, within `timeoutMs` for everything, whether it answers with a FeedMessage
 * that has a timestamp. Never throws.
 */
export async function probeLiveFeeds(options: {
  readonly timeoutMs: number
  readonly url?: string
  readonly signal?: AbortSignal
}): Promise<LiveProbe> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  try {
    const response = await fetch(options.url ?? LIVE_FEED_URL, { signal })
    if (response.status !== 200) {
      await response.body?.cancel()
      return { isLive: false, reason: `HTTP status ${response.status}` }
    }
    const bytes = await readLimited(response)
    if (bytes === undefined) return { isLive: false, reason: 'the answer is too large' }
    const isFeed = headerTimestamp(splitMessage(bytes).header) > 0
    return { isLive: isFeed, reason: isFeed ? '' : 'the answer has no timestamp' }
  } catch (error) {
    if (timeout.aborted) return { isLive: false, reason: `no answer in ${options.timeoutMs} ms` }
    if (error instanceof RangeError) return { isLive: false, reason: 'the answer is no feed' }
    return { isLive: false, reason: toMessage(error) }
  }
}

async function readLimited(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  if (response.body === null) return new Uint8Array()
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
