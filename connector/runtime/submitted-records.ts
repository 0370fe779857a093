import type { SourceOffset, SourcePartition } from '../api/records.ts'

/** A record on its way to Kafka. */
export interface Submitted {
  readonly offset: SourceOffset
  acked: boolean
}

interface Lane {
  readonly partition: SourcePartition
  /** In the order sent; those before `head` are done. */
  records: Submitted[]
  head: number
}

/** A source partition and how far it may be stored. */
export type PartitionOffset = readonly [SourcePartition, SourceOffset]

const COMPACT_AT = 1024

/**
 * Which source offsets may be stored yet: of each source partition the last one before which everything
 * was acknowledged. Keeps no more than the records in flight. Not more than bookkeeping: no waits, no clock.
 */
export class SubmittedRecords {
  readonly #lanes = new Map<string, Lane>()
  readonly #keys = new WeakMap<SourcePartition, string>()
  #unacked = 0

  /** Notes a record that is about to be sent. */
  submit(partition: SourcePartition, offset: SourceOffset): Submitted {
    const key = this.#keyOf(partition)
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { partition, records: [], head: 0 }
      this.#lanes.set(key, lane)
    }
    const submitted: Submitted = { offset, acked: false }
    lane.records.push(submitted)
    this.#unacked++
    return submitted
  }

  /** The record is stored in Kafka, or was dropped for good. A second call does nothing. */
  ack(submitted: Submitted): void {
    if (submitted.acked) return
    submitted.acked = true
    this.#unacked--
  }

  /** How many records are not acknowledged. */
  get unacked(): number {
    return this.#unacked
  }

  /** The offsets that became storable since the last call. */
  takeCommittable(): PartitionOffset[] {
    const committable: PartitionOffset[] = []
    for (const [key, lane] of this.#lanes) {
      let last: Submitted | undefined
      for (
        let next = lane.records[lane.head];
        next?.acked === true;
        next = lane.records[lane.head]
      ) {
        last = next
        lane.head++
      }
      if (last !== undefined) committable.push([lane.partition, last.offset])
      if (lane.head === lane.records.length) this.#lanes.delete(key)
      else if (lane.head >= COMPACT_AT) {
        lane.records = lane.records.slice(lane.head)
        lane.head = 0
      }
    }
    return committable
  }

  // Plugins hand out the same partition object again and again, so its text is made once.
  #keyOf(partition: SourcePartition): string {
    let key = this.#keys.get(partition)
    if (key === undefined) {
      key = JSON.stringify(Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#keys.set(partition, key)
    }
    return key
  }
}
