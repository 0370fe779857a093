/**
 * - `IDENTIFYING`: asks Kafka which topic this is
 * - `OPENING`: asks Snowflake for the channel, its position and the right to write
 * - `TABLELESS`: there is no table; makes it once a record shows its columns
 * - `POSITIONING`: asks Kafka whether the log still has what comes after that position
 * - `READY`: nothing in flight
 * - `EVOLVING`: everything is committed; the table gets what the next record needs
 * - `INSPECTING`: Snowflake has rejected rows; asks the error table which
 * - `APPENDING`: one request's bytes and token are held until it is known what became of it
 * - `FAILED`, `CLOSED`: the end
 */
export type ChannelState =
  | 'IDENTIFYING'
  | 'OPENING'
  | 'TABLELESS'
  | 'POSITIONING'
  | 'READY'
  | 'EVOLVING'
  | 'INSPECTING'
  | 'APPENDING'
  | 'FAILED'
  | 'CLOSED'

export type ChannelEvent =
  | 'identified'
  | 'opened'
  | 'tableMissing'
  | 'tableReady'
  | 'positioned'
  | 'appendStarted'
  | 'accepted'
  | 'evolutionStarted'
  | 'inspectionStarted'
  | 'inspected'
  /** The channel is not valid any more, or somebody else's: all that is not committed is read again. */
  | 'invalidated'
  | 'failed'
  | 'closed'

type Row = Record<ChannelEvent, ChannelState | null>

const NOTHING: Row = {
  identified: null,
  opened: null,
  tableMissing: null,
  tableReady: null,
  positioned: null,
  appendStarted: null,
  accepted: null,
  evolutionStarted: null,
  inspectionStarted: null,
  inspected: null,
  invalidated: null,
  failed: 'FAILED',
  closed: 'CLOSED',
}

/** What becomes of a channel by what happens. Null: ignored, e.g. an answer that comes too late. */
export const CHANNEL_TRANSITIONS: Record<ChannelState, Row> = {
  IDENTIFYING: { ...NOTHING, identified: 'OPENING' },
  OPENING: {
    ...NOTHING,
    opened: 'POSITIONING',
    tableMissing: 'TABLELESS',
    invalidated: 'IDENTIFYING',
  },
  TABLELESS: { ...NOTHING, tableReady: 'OPENING' },
  POSITIONING: { ...NOTHING, positioned: 'READY', invalidated: 'IDENTIFYING' },
  READY: {
    ...NOTHING,
    appendStarted: 'APPENDING',
    evolutionStarted: 'EVOLVING',
    inspectionStarted: 'INSPECTING',
    invalidated: 'IDENTIFYING',
  },
  EVOLVING: { ...NOTHING, tableReady: 'READY', invalidated: 'IDENTIFYING' },
  INSPECTING: { ...NOTHING, inspected: 'READY', invalidated: 'IDENTIFYING' },
  APPENDING: { ...NOTHING, accepted: 'READY', invalidated: 'IDENTIFYING' },
  FAILED: { ...NOTHING, failed: null },
  CLOSED: { ...NOTHING, failed: null, closed: null },
}

/** The states in which rows of an earlier life may be committed still, without our knowing. */
export const isSettling = (state: ChannelState): boolean =>
  state === 'IDENTIFYING' || state === 'OPENING' || state === 'POSITIONING'

/** The states in which Snowflake knows the channel as ours. */
export const isOpen = (state: ChannelState): boolean =>
  state === 'READY' || state === 'EVOLVING' || state === 'INSPECTING' || state === 'APPENDING'
