import type { RejectionCode } from './feed-reader.ts'

/** What a rule that keeps an entity out expects, for people. */
export const REASONS: Readonly<Partial<Record<RejectionCode, string>>> = {
  UNREADABLE: 'expected protobuf as gtfs-realtime.proto has it, got something else',
  REQ_MISSING: 'expected what its key and its record are made of, which it does not have',
  COORD_FORMAT: 'expected a latitude within 90 and a longitude within 180 degrees',
  COORD_ZERO: 'expected a place, got 0, 0',
  TS_RANGE: 'expected a time between 2010 and tomorrow',
}
