import type { SimulatedFeed } from './feed-catalog.ts'

interface FaultEntry {
  /** Where it is dealt with: the answer as such, the body's bytes, or the content of an intact body. */
  readonly layer: 'answer' | 'body' | 'content'
  /** Numbers in the catalogue of the feeds' peculiarities; none for plain trouble with a server. */
  readonly quirks: readonly string[]
  /** What it can spoil; both when it is left out. */
  readonly format?: 'protobuf' | 'json'
  /** Share of the entities that it is about when nothing else is ordered: as counted in recorded feeds. */
  readonly share?: number
  readonly about: string
}

/** What can be made to go wrong with a feed; each was seen on a real one. */
export const FAULTS = {
  empty200: { layer: 'body', quirks: ['Q1'], about: 'No byte at all, with status 200.' },
  html200: { layer: 'answer', quirks: ['Q2'], about: 'A page of HTML with status 200.' },
  'xml-nosuchkey200': {
    layer: 'answer',
    quirks: ['Q2'],
    about: "S3's XML for a key that does not exist, with status 200.",
  },
  json200: { layer: 'answer', quirks: ['Q2'], about: 'A JSON error with status 200.' },
  text200: { layer: 'answer', quirks: ['Q2'], about: 'A line of text with status 200.' },
  'truncate-mid': {
    layer: 'body',
    quirks: ['Q3'],
    about: 'The body ends within an entity; Content-Length is that of what was sent.',
  },
  'truncate-boundary': {
    layer: 'body',
    quirks: ['Q3'],
    format: 'protobuf',
    about: 'The body ends between two entities and decodes without an error.',
  },
  'cut-connection': {
    layer: 'answer',
    quirks: ['Q3'],
    about: 'The connection ends in mid-body, before the announced Content-Length.',
  },
  json403: {
    layer: 'answer',
    quirks: ['Q4'],
    about: "API Gateway's 403 with Missing Authentication Token.",
  },
  'wrong-content-type': {
    layer: 'answer',
    quirks: ['Q5'],
    about: 'A good body under the content type ${header.s3FileType}.',
  },
  'header-regress': {
    layer: 'body',
    quirks: ['Q6'],
    format: 'protobuf',
    about: "The header's timestamp is a minute behind.",
  },
  'header-frozen': {
    layer: 'body',
    quirks: ['Q6'],
    format: 'protobuf',
    about: 'New content under the timestamp of the body before.',
  },
  'advance-frozen-content': {
    layer: 'body',
    quirks: ['Q7'],
    format: 'protobuf',
    about: 'The content of the body before under a new timestamp.',
  },
  'positional-ids': {
    layer: 'content',
    quirks: ['Q8'],
    format: 'protobuf',
    about: 'In the next body each entity id names another entity.',
  },
  'duplicate-entity-ids': {
    layer: 'body',
    quirks: ['Q9'],
    format: 'protobuf',
    about: 'Two entities each share one id.',
  },
  'trip-two-vehicles': {
    layer: 'content',
    quirks: ['Q9'],
    format: 'protobuf',
    share: 0.02,
    about: 'Some trips are served by two vehicles, under one entity id.',
  },
  'train-many-dates': {
    layer: 'content',
    quirks: ['Q9'],
    format: 'protobuf',
    share: 0.01,
    about: 'Some trains are listed for eight service days, under one entity id.',
  },
  'old-service-days': {
    layer: 'content',
    quirks: ['Q10'],
    format: 'protobuf',
    share: 0.22,
    about: 'Trips of two to twelve days ago, without a position.',
  },
  'vehicle-names-train': {
    layer: 'content',
    quirks: ['Q11'],
    format: 'protobuf',
    share: 1,
    about: "A vehicle's trip id is the entity's id, not the trip update's trip id.",
  },
  'vehicle-without-route': {
    layer: 'content',
    quirks: ['Q12'],
    format: 'protobuf',
    share: 1,
    about: "A vehicle's trip has no route.",
  },
  'old-gps': {
    layer: 'content',
    quirks: ['Q13'],
    format: 'protobuf',
    share: 0.61,
    about: 'Vehicle timestamps of up to fifteen hours ago, half of them IN_TRANSIT_TO.',
  },
  'canceled-and-added': {
    layer: 'content',
    quirks: ['Q14'],
    format: 'protobuf',
    share: 0.1,
    about: 'CANCELED trips, half of them without a route and under static ids, and ADDED ones.',
  },
  'empty-train-status': {
    layer: 'content',
    quirks: ['Q15'],
    format: 'protobuf',
    share: 1,
    about: "The railroad extension's track and status are there and empty.",
  },
  'train-status-words': {
    layer: 'content',
    quirks: ['Q16'],
    format: 'protobuf',
    share: 1,
    about: 'On-Time, Late, Delayed, Departed, Arrived, Arriving and Bus in turn.',
  },
  'stalled-trains': {
    layer: 'content',
    quirks: ['Q17'],
    format: 'protobuf',
    share: 0.27,
    about: 'Trains whose last movement was up to eight hours ago.',
  },
  'always-stopped': {
    layer: 'content',
    quirks: ['Q18'],
    format: 'protobuf',
    share: 1,
    about: 'STOPPED_AT throughout; a quarter have neither status nor sequence.',
  },
  'next-stop-in-a-minute': {
    layer: 'content',
    quirks: ['Q19'],
    format: 'protobuf',
    share: 1,
    about: 'The next stop is always sixty seconds away.',
  },
  'passed-stops': {
    layer: 'content',
    quirks: ['Q20'],
    format: 'protobuf',
    share: 0.3,
    about: 'The first stop listed was passed a while ago.',
  },
  'replacement-end-now': {
    layer: 'content',
    quirks: ['Q21'],
    format: 'protobuf',
    about: "Replacement periods end at the header's time.",
  },
  'replacement-end-later': {
    layer: 'content',
    quirks: ['Q21'],
    format: 'protobuf',
    about: "Replacement periods end half an hour after the header's time.",
  },
  'route-aliases': {
    layer: 'content',
    quirks: ['Q22'],
    format: 'protobuf',
    share: 1,
    about: 'S for GS, SS for SI, 6X, FX, and now and then an empty route.',
  },
  'unknown-stops': {
    layer: 'content',
    quirks: ['Q23'],
    format: 'protobuf',
    share: 0.05,
    about: 'Stop ids that the static timetable does not have.',
  },
  'trips-vanish': {
    layer: 'content',
    quirks: ['Q24'],
    format: 'protobuf',
    share: 0.1,
    about: 'This share of the trips is absent in turn for a minute, and comes back.',
  },
  'bare-entities': {
    layer: 'content',
    quirks: ['Q25'],
    format: 'protobuf',
    share: 1,
    about: 'Only what identifies a vehicle or trip: all optional fields are missing.',
  },
  'explicit-defaults': {
    layer: 'content',
    quirks: ['Q25'],
    format: 'protobuf',
    share: 1,
    about: 'direction NORTH and is_assigned false are said, as until 2018.',
  },
  'foreign-header-extension': {
    layer: 'content',
    quirks: ['Q26'],
    format: 'protobuf',
    about: "The header's field 1001 is Mercury's in an NYCT feed and the other way round.",
  },
  'renumbered-priorities': {
    layer: 'content',
    quirks: ['Q27'],
    format: 'protobuf',
    share: 1,
    about: 'sort_order by the numbers of a later version: 26 has become 30.',
  },
  'header-version': {
    layer: 'content',
    quirks: ['Q28'],
    format: 'protobuf',
    about: 'gtfs_realtime_version is 0.2.',
  },
  'concat-two': {
    layer: 'body',
    quirks: ['Q29'],
    format: 'protobuf',
    about: 'Two messages one after the other, which decode as one.',
  },
  'far-off-delays': {
    layer: 'content',
    quirks: ['Q30'],
    format: 'protobuf',
    share: 1,
    about: 'Delays of -1,639 and 4,383 seconds, three trips of one vehicle.',
  },
  'repeated-extensions': {
    layer: 'content',
    quirks: ['Q31'],
    format: 'protobuf',
    about: "The header's extension once per route, the stops' railroad extension twice.",
  },
  shrink: {
    layer: 'body',
    quirks: [],
    format: 'protobuf',
    about: 'A tenth of the entities, and nothing to notice it by.',
  },
  'error-condition': {
    layer: 'answer',
    quirks: [],
    format: 'json',
    about: "SIRI's ErrorCondition in a body with status 200.",
  },
  429: { layer: 'answer', quirks: [], about: 'Too Many Requests, with Retry-After.' },
  503: { layer: 'answer', quirks: [], about: 'Service Unavailable, with Retry-After.' },
  'slow-drip': { layer: 'answer', quirks: [], about: '64 bytes every half second.' },
  hang: { layer: 'answer', quirks: [], about: 'Not one byte, for two minutes.' },
  'no-gzip': { layer: 'answer', quirks: [], about: 'Never packed, whatever the client takes.' },
  'no-etag': {
    layer: 'answer',
    quirks: [],
    about: 'Neither ETag nor Last-Modified, and never 304.',
  },
} as const satisfies Readonly<Record<string, FaultEntry>>

export type FaultKind = `${keyof typeof FAULTS}`

type KindOf<Layer> = {
  [Kind in keyof typeof FAULTS]: (typeof FAULTS)[Kind]['layer'] extends Layer ? `${Kind}` : never
}[keyof typeof FAULTS]
export type BodyFault = KindOf<'body'>
export type ContentFault = KindOf<'content'>
export type AnswerFault = KindOf<'answer'>

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[]

export const faultEntry = (kind: FaultKind): FaultEntry => FAULTS[kind]

/** Tells whether a fault of this kind can spoil that feed at all. */
export function canSpoil(kind: FaultKind, feed: SimulatedFeed): boolean {
  if (kind === 'error-condition') return feed.kind === 'siri'
  const { format } = faultEntry(kind)
  return format === undefined || format === feed.format
}
