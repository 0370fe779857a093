import { describe, expect, test } from 'vitest'
import type { TopicPartition } from '../../../connector/api/topic-partition.ts'
import { GroupAssignment } from '../../../connector/kafka/group-assignment.ts'
import { ASSIGN_PARTITIONS, REVOKE_PARTITIONS } from '../../../connector/kafka/native-errors.ts'
import type { NativeTopicPartition } from '../../../connector/kafka/native.ts'

const tp = (partition: number): TopicPartition => ({ topic: 't', partition })

/** Notes what librdkafka is told. */
class FakeNative {
  readonly calls: string[] = []
  protocol: 'NONE' | 'EAGER' | 'COOPERATIVE' = 'COOPERATIVE'
  isLost = false
  refuses: ReadonlySet<string> = new Set()

  assign = (tps: readonly NativeTopicPartition[]): void => this.#note('assign', tps)
  unassign = (): void => this.#note('unassign', [])
  incrementalAssign = (tps: readonly NativeTopicPartition[]): void =>
    this.#note('incrementalAssign', tps)
  incrementalUnassign = (tps: readonly NativeTopicPartition[]): void =>
    this.#note('incrementalUnassign', tps)
  pause = (tps: readonly NativeTopicPartition[]): void => this.#note('pause', tps)
  resume = (tps: readonly NativeTopicPartition[]): void => this.#note('resume', tps)
  assignmentLost = (): boolean => this.isLost
  rebalanceProtocol = (): 'NONE' | 'EAGER' | 'COOPERATIVE' => this.protocol

  #note(what: string, tps: readonly NativeTopicPartition[]): void {
    if (this.refuses.has(what)) throw new Error(`Local: Erroneous state: ${what}`)
    const list = tps.map(({ partition, offset }) =>
      offset === undefined ? partition : `${partition}@${offset}`,
    )
    this.calls.push(`${what} ${list.join()}`.trim())
  }
}

function setUp(): {
  native: FakeNative
  group: GroupAssignment
  listener: {
    onAssigned: (tps: readonly TopicPartition[]) => Promise<void>
    onRevoked: (tps: readonly TopicPartition[]) => Promise<void>
    onLost: (tps: readonly TopicPartition[]) => Promise<void>
  }
} {
  const native = new FakeNative()
  const note =
    (what: string) =>
    (tps: readonly TopicPartition[]): Promise<void> => {
      native.calls.push(`${what} ${tps.map(({ partition }) => partition).join()}`)
      return Promise.resolve()
    }
  return {
    native,
    group: new GroupAssignment(native),
    listener: {
      onAssigned: note('onAssigned'),
      onRevoked: note('onRevoked'),
      onLost: note('onLost'),
    },
  }
}

async function assigned(...partitions: number[]): Promise<ReturnType<typeof setUp>> {
  const { native, group, listener } = setUp()
  group.announce({ code: ASSIGN_PARTITIONS, partitions: partitions.map(tp) })
  await group.handleEvents(listener)
  native.calls.length = 0
  return { native, group, listener }
}

describe('GroupAssignment', () => {
  test('tells the listener before it answers, part by part with a cooperative protocol', async () => {
    const { native, group, listener } = setUp()
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0), tp(1)] })
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0)] })
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [] })
    expect(native.calls).toEqual([])
    await group.handleEvents(listener)
    expect(native.calls).toEqual([
      'onAssigned 0,1',
      'incrementalAssign 0,1',
      'onRevoked 0',
      'incrementalUnassign 0',
      'incrementalAssign',
    ])
    expect(group.partitions()).toEqual([tp(1)])
  })

  test('replaces everything with an eager protocol', async () => {
    const { native, group, listener } = setUp()
    native.protocol = 'EAGER'
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0), tp(1)] })
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0), tp(1)] })
    await group.handleEvents(listener)
    expect(native.calls).toEqual(['onAssigned 0,1', 'assign 0,1', 'onRevoked 0,1', 'unassign'])
    expect(group.partitions()).toEqual([])
  })

  test('starts arriving partitions where the listener says, and paused when it says so', async () => {
    const { native, group, listener } = setUp()
    listener.onAssigned = () => {
      expect(group.stateOf(tp(0))).toBe('arriving')
      group.startAt({ ...tp(0), offset: 7 })
      group.pause([tp(1)])
      return Promise.resolve()
    }
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0), tp(1)] })
    await group.handleEvents(listener)
    expect(native.calls).toEqual(['incrementalAssign 0@7,1', 'pause 1'])
    expect(group.stateOf(tp(0))).toBe('assigned')
  })

  describe('while everything is paused', () => {
    test('rests, and librdkafka hears nothing of it', async () => {
      const { native, group } = await assigned(0, 1)
      group.pause([tp(0), tp(1)])
      expect(group.isResting).toBe(true)
      expect(group.resume([tp(1)])).toEqual([])
      expect(group.isResting).toBe(false)
      expect(native.calls).toEqual([])
    })

    test('tells what is still paused, once', async () => {
      const { native, group } = await assigned(0, 1)
      group.pause([tp(0)])
      expect(group.isResting).toBe(false)
      group.applyPauses()
      group.pause([tp(0)])
      group.applyPauses()
      expect(native.calls).toEqual(['pause 0'])
      expect(group.resume([tp(0), tp(1)])).toEqual([tp(0), tp(1)])
    })

    test('does not rest any more when a partition arrives', async () => {
      const { native, group, listener } = await assigned(0)
      group.pause([tp(0)])
      group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(1)] })
      await group.handleEvents(listener)
      expect(group.isResting).toBe(false)
      group.applyPauses()
      expect(native.calls).toEqual(['onAssigned 1', 'incrementalAssign 1', 'pause 0'])
    })

    test.each([
      ['COOPERATIVE' as const, ['onRevoked 0,1', 'resume 0', 'incrementalUnassign 0,1']],
      ['EAGER' as const, ['onRevoked 0,1', 'resume 0', 'unassign']],
    ])(
      'gives partitions back as librdkafka gave them: not paused (%s)',
      async (protocol, calls) => {
        const { native, group, listener } = await assigned(0, 1)
        native.protocol = protocol
        group.pause([tp(0)])
        group.applyPauses()
        group.pause([tp(1)])
        native.calls.length = 0
        group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0), tp(1)] })
        await group.handleEvents(listener)
        expect(native.calls).toEqual(calls)
        expect(group.isResting).toBe(false)
      },
    )
  })

  test('calls partitions lost that the group has given away', async () => {
    const { native, group, listener } = setUp()
    native.isLost = true
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0)] })
    await group.handleEvents(listener)
    expect(native.calls).toEqual(['onLost 0', 'incrementalUnassign 0'])
  })

  test('answers also when the listener fails, so that the group goes on', async () => {
    const { native, group, listener } = setUp()
    listener.onAssigned = () => Promise.reject(new Error('no'))
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0)] })
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0)] })
    await expect(group.handleEvents(listener)).rejects.toThrow('no')
    expect(native.calls).toEqual(['incrementalAssign 0', 'onRevoked 0', 'incrementalUnassign 0'])
  })

  test('takes leave of its partitions, and answers at once from then on', async () => {
    const { native, group, listener } = setUp()
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0), tp(1)] })
    await group.handleEvents(listener)
    native.calls.length = 0
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(0)] })
    await group.leave(listener)
    expect(native.calls).toEqual(['onRevoked 0', 'incrementalUnassign 0', 'onRevoked 1'])
    native.calls.length = 0
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(1)] })
    native.refuses = new Set(['unassign'])
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(1)] })
    native.refuses = new Set(['unassign', 'incrementalUnassign', 'incrementalAssign'])
    group.announce({ code: REVOKE_PARTITIONS, partitions: [tp(1)] })
    expect(native.calls).toEqual(['unassign', 'incrementalUnassign 1'])
  })

  test('accepts nothing new while it leaves, but answers that too', async () => {
    const { native, group, listener } = setUp()
    group.announce({ code: ASSIGN_PARTITIONS, partitions: [tp(0)] })
    await group.leave(listener)
    expect(native.calls).toEqual(['incrementalAssign'])
  })
})
