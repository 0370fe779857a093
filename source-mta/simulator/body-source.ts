import { createHash } from 'node:crypto'
import type { Awaitable } from '../../connector/api/task-context.ts'
import type { SimulatedFeed } from './feed-catalog.ts'

/** One version of a feed, as a client gets it. */
export interface FeedBody {
  readonly bytes: Uint8Array
  /** With its quotes, as in the `ETag` header. */
  readonly etag: string
  /** Unix seconds; undefined: no such header. */
  readonly lastModified: number | undefined
}

/** Where the server's bodies come from. */
export interface BodySource {
  /**
   * The feed's current body; undefined for a feed that this source does not have. `parameters`: the request's,
   * which only Bus Time's SIRI looks at.
   */
  body(feed: SimulatedFeed, parameters: URLSearchParams): Awaitable<FeedBody | undefined>
  /** Called when a response with all of `body` was handed to the network. */
  served(feed: SimulatedFeed, body: FeedBody): void
  /** For `GET /__sim/status`. */
  status(): { readonly kind: string; readonly done: boolean } & Readonly<Record<string, unknown>>
}

/** The ETag of a body, from its bytes and from what else tells it apart. */
export function etagOf(bytes: Uint8Array, suffix = ''): string {
  return `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}${suffix}"`
}
