// Decodes what the simulator wrote with the library that the source connector uses.
import bindings from 'gtfs-realtime-bindings'

export type FeedMessage = bindings.transit_realtime.FeedMessage
export type FeedEntity = bindings.transit_realtime.IFeedEntity

export const decode = (body: Uint8Array): FeedMessage =>
  bindings.transit_realtime.FeedMessage.decode(body)

export const vehicles = (message: FeedMessage): FeedEntity[] =>
  message.entity.filter((entity) => entity.vehicle != null)

export const tripUpdates = (message: FeedMessage): FeedEntity[] =>
  message.entity.filter((entity) => entity.tripUpdate != null)

/** The bytes of the fields that the library does not know, as hex, tags included. */
export const unknowns = (message: { $unknowns?: Uint8Array[] } | null | undefined): string[] =>
  (message?.$unknowns ?? []).map((bytes) => Buffer.from(bytes).toString('hex'))
