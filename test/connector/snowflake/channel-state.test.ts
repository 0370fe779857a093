import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CHANNEL_TRANSITIONS,
  type ChannelEvent,
  type ChannelState,
  isOpen,
  isSettling,
} from '../../../connector/snowflake/channel-state.ts'

const states = Object.keys(CHANNEL_TRANSITIONS) as ChannelState[]
const events = Object.keys(CHANNEL_TRANSITIONS.READY) as ChannelEvent[]
const next = (state: ChannelState, event: ChannelEvent): ChannelState =>
  CHANNEL_TRANSITIONS[state][event] ?? state
const ENDS = new Set<ChannelState>(['FAILED', 'CLOSED'])

/** Every cell, a column per event; `.` for an event that is ignored. Written down a second time on purpose. */
const TABLE = `
                  IDENTIFYING OPENING     TABLELESS POSITIONING READY       EVOLVING    INSPECTING  APPENDING   FAILED CLOSED
identified        OPENING     .           .         .           .           .           .           .           .      .
opened            .           POSITIONING .         .           .           .           .           .           .      .
tableMissing      .           TABLELESS   .         .           .           .           .           .           .      .
tableReady        .           .           OPENING   .           .           READY       .           .           .      .
positioned        .           .           .         READY       .           .           .           .           .      .
appendStarted     .           .           .         .           APPENDING   .           .           .           .      .
accepted          .           .           .         .           .           .           .           READY       .      .
evolutionStarted  .           .           .         .           EVOLVING    .           .           .           .      .
inspectionStarted .           .           .         .           INSPECTING  .           .           .           .      .
inspected         .           .           .         .           .           .           READY       .           .      .
invalidated       .           IDENTIFYING .         IDENTIFYING IDENTIFYING IDENTIFYING IDENTIFYING IDENTIFYING .      .
failed            FAILED      FAILED      FAILED    FAILED      FAILED      FAILED      FAILED      FAILED      .      .
closed            CLOSED      CLOSED      CLOSED    CLOSED      CLOSED      CLOSED      CLOSED      CLOSED      CLOSED .
`

function cells(): readonly (readonly [ChannelState, ChannelEvent, string])[] {
  const [head = '', ...lines] = TABLE.trim().split('\n')
  const columns = head.trim().split(/\s+/)
  return lines.flatMap((line) => {
    const [event, ...targets] = line.trim().split(/\s+/)
    return columns.map(
      (state, at) => [state as ChannelState, event as ChannelEvent, targets[at] ?? ''] as const,
    )
  })
}

describe('the channel state table', () => {
  test('has a cell for each event in each state', () => {
    expect(cells()).toHaveLength(states.length * events.length)
    expect(new Set(cells().map(([state]) => state))).toEqual(new Set(states))
    expect(new Set(cells().map(([, event]) => event))).toEqual(new Set(events))
  })

  test.each(cells())('%s, %s: %s', (state, event, target) => {
    expect(CHANNEL_TRANSITIONS[state][event] ?? '.').toBe(target)
  })

  test('an end is never left but by closing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (schedule) => {
        expect(schedule.reduce(next, 'CLOSED' as ChannelState)).toBe('CLOSED')
        expect(ENDS.has(schedule.reduce(next, 'FAILED' as ChannelState))).toBe(true)
      }),
    )
  })

  test('rows can be sent again from every state that is no end', () => {
    const reaches = new Set<ChannelState>(['READY'])
    for (let found = 0; found < reaches.size; ) {
      found = reaches.size
      for (const state of states) {
        if (events.some((event) => reaches.has(next(state, event)))) reaches.add(state)
      }
    }
    expect(states.filter((state) => !reaches.has(state))).toEqual([...ENDS])
  })

  test('rows are sent only after the channel was opened and its position was taken, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 200 }), (schedule) => {
        let state: ChannelState = 'IDENTIFYING'
        let steps = 0
        const stepsBefore: number[] = []
        for (const event of schedule) {
          const after = next(state, event)
          if (after === 'IDENTIFYING') steps = 0
          if (after !== state && ['OPENING', 'POSITIONING', 'READY'].includes(after)) steps++
          if (after === 'APPENDING') stepsBefore.push(steps)
          state = after
        }
        expect(stepsBefore.every((count) => count >= 3)).toBe(true)
      }),
    )
  })

  test('a channel is open, on its way to be, or neither, but not two of them', () => {
    expect(states.filter(isOpen)).toEqual(['READY', 'EVOLVING', 'INSPECTING', 'APPENDING'])
    expect(states.filter(isSettling)).toEqual(['IDENTIFYING', 'OPENING', 'POSITIONING'])
  })
})
