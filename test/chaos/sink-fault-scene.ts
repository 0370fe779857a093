// One round of in-process faults: two sink tasks of one group on topics in memory, a table of the round's own.
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../connector/runtime/clock.ts'
import { SnowflakeSinkTask } from '../../connector/snowflake/task.ts'
import type { TopicPartition } from '../../connector/api/topic-partition.ts'
import { FakeSinkWorker, FakeTopics } from '../support/fake-sink-worker.ts'
import { encodedAvro } from '../support/sink-records.ts'
import type { FaultStage } from './sink-fault-stage.ts'
import type { FaultAction, FaultStep } from './sink-fault-plan.ts'

export const FAULT_PARTITIONS = 3
const TASKS = 2
const STEP_MS = 10
const FENCE_MS = 300
const DRAIN_LIMIT_MS = 60_000

interface Actor {
  readonly task: SnowflakeSinkTask
  readonly worker: FakeSinkWorker
}

const PAYLOAD = { name: 'payload', type: 'string' }
const FIELDS = [
  PAYLOAD,
  ...[1, 2, 3, 4].map((n) => ({ name: `added_${n}`, type: ['null', 'long'], default: null })),
]
/** Each version has one field more. */
const VERSIONS = FIELDS.map((_, version) =>
  encodedAvro(
    { type: 'record', name: 'Fault', fields: FIELDS.slice(0, version + 1) },
    1_000 + version,
  ),
)

export class FaultScene {
  readonly table: string
  readonly log: string[] = []
  /** Records that carry the last field that was added, by its number. */
  readonly produced = new Map<number, number>()
  readonly #stage: FaultStage
  readonly #topic: string
  readonly #topics = new FakeTopics()
  readonly #random: () => number
  readonly #actors: Actor[] = []
  /** Tasks that were replaced and do not know it. */
  readonly #zombies: Actor[] = []
  readonly #owners: number[]
  readonly #opening: Promise<void>[] = []
  #version = 0

  constructor(stage: FaultStage, round: number, random: () => number) {
    this.#stage = stage
    this.#random = random
    this.#topic = `chaos.round${round}`
    this.table = `R${String(round).padStart(5, '0')}`
    const id = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256)))
    this.#topics.create(this.#topic, id.toString('base64url'), FAULT_PARTITIONS)
    this.#owners = Array.from({ length: FAULT_PARTITIONS }, (_, partition) => partition % TASKS)
  }

  get ends(): readonly number[] {
    return this.#partitions().map((tp) => this.#topics.log(tp).end)
  }

  async start(): Promise<void> {
    for (let task = 0; task < TASKS; task++) {
      const actor = this.#newActor()
      this.#actors.push(actor)
      await actor.worker.start(this.#ownedBy(task))
    }
  }

  async play(step: FaultStep): Promise<void> {
    step.records.forEach((count, partition) => this.#produce(partition, count))
    await this.#turn(step.waitMs[0])
    this.log.push(`${step.action} ${step.size}, log ends ${this.ends.join(' ')}`)
    await this.#does[step.action](step.size)
    await this.#turn(step.waitMs[1])
    for (const { worker } of this.#actors) await worker.commit()
  }

  /** All faults over: turns until everything is committed. @throws Error when that takes longer than a minute. */
  async heal(): Promise<void> {
    await this.#stage.clearFaults()
    await Promise.all(this.#opening.splice(0))
    for (const { task } of this.#zombies.splice(0)) task.stop()
    const deadline = Date.now() + DRAIN_LIMIT_MS
    while (!this.#isCommitted()) {
      await this.#turn(50)
      for (const { worker } of this.#actors) await worker.commit()
      if (Date.now() > deadline) {
        const said = this.#actors.map(({ worker }) => worker.health?.message ?? 'no complaint')
        throw new Error(
          `Not everything was committed after ${DRAIN_LIMIT_MS / 1000} s: ${said.join('; ')}`,
        )
      }
    }
  }

  async close(): Promise<void> {
    for (const { task } of [...this.#zombies, ...this.#actors]) task.stop()
    await Promise.resolve()
  }

  /** What the tasks have logged. */
  logged(): readonly string[] {
    return this.#actors.flatMap(({ worker }, task) => worker.logged.map((l) => `task ${task} ${l}`))
  }

  readonly #does: Record<FaultAction, (size: number) => Promise<void>> = {
    'lost-answer': (count) => this.#fault({ kind: 'lost', match: { path: '/rows' }, count }),
    'lost-open': (count) => this.#fault({ kind: 'lost', match: { path: 'PUT ' }, count }),
    'truncated-answer': (count) =>
      this.#fault({ kind: 'truncate', match: { path: '/rows' }, count }),
    'stale-token': () =>
      this.#fault({
        kind: 'status',
        status: 400,
        code: 'STALE_CONTINUATION_TOKEN_SEQUENCER',
        match: { path: '/rows' },
      }),
    invalidate: () => this.#fault({ kind: 'invalidate', match: { table: this.table } }),
    fenced: () => this.#fence(),
    'fail-over': () => this.#failOver('gone'),
    vanish: () => this.#failOver('vanished'),
    'freeze-commit': () => this.#fault({ kind: 'freeze-commit', count: null }),
    'slow-commit': (size) => this.#fault({ kind: 'delay-commit', ms: size * 300 }),
    hang: (size) => this.#fault({ kind: 'hang', match: { path: '/v2/streaming' }, ms: size * 800 }),
    busy: (count) =>
      this.#fault({ kind: 'status', status: [503, 429, 500][count - 1] ?? 503, count }),
    'no-route': (count) => this.#fault({ kind: 'not-found', count }),
    'expired-tokens': () => this.#fault({ kind: 'expire-tokens' }),
    thaw: () => this.#stage.clearFaults(),
    rebalance: (size) => this.#rebalance(size % FAULT_PARTITIONS),
    steal: (size) => this.#steal(size % FAULT_PARTITIONS),
    crash: (size) => this.#crash(size % TASKS),
    evolve: () => this.#evolve(),
  }

  #fault(body: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#stage.fault(body)
  }

  /** An opening waits for the commit under way, and that may be frozen. */
  async #fence(): Promise<void> {
    const opened = this.#fault({ kind: 'zombie-open', match: { table: this.table } })
    this.#opening.push(opened)
    await Promise.race([opened, sleep(FENCE_MS)])
  }

  #failOver(how: 'gone' | 'vanished'): Promise<void> {
    this.#stage.gateway.failOver(how)
    return Promise.resolve()
  }

  /** What is produced from now on has one field more. */
  #evolve(): Promise<void> {
    this.#version = Math.min(this.#version + 1, VERSIONS.length - 1)
    return Promise.resolve()
  }

  /** In the coordinator's order: given back first, then given to the other task. */
  async #rebalance(partition: number): Promise<void> {
    const tp = this.#tp(partition)
    const from = this.#owner(partition)
    await from.worker.revoke([tp])
    this.#owners[partition] = 1 - (this.#owners[partition] ?? 0)
    await this.#owner(partition).worker.assign([tp])
  }

  /** The group has given up a task that is still there and learns of it later. */
  async #steal(partition: number): Promise<void> {
    const tp = this.#tp(partition)
    const from = this.#owner(partition)
    this.#owners[partition] = 1 - (this.#owners[partition] ?? 0)
    await this.#owner(partition).worker.assign([tp])
    await this.#turn(100)
    await from.worker.revoke([tp])
  }

  /** A task is gone without a word; what it had sent goes on by itself. */
  async #crash(task: number): Promise<void> {
    const [dead] = this.#actors.splice(task, 1, this.#newActor())
    if (dead !== undefined) this.#zombies.push(dead)
    await this.#actors[task]?.worker.start(this.#ownedBy(task))
  }

  #newActor(): Actor {
    const task = new SnowflakeSinkTask()
    const props = this.#stage.props(this.#topic, this.table)
    const worker = new FakeSinkWorker({
      task,
      topics: this.#topics,
      props,
      clock: systemClock,
      random: this.#random,
      connector: 'chaos',
    })
    return { task, worker }
  }

  #produce(partition: number, count: number): void {
    const version = this.#version
    const encode = VERSIONS[version]
    if (encode === undefined) return
    for (let i = 0; i < count; i++) {
      this.#topics.append(this.#tp(partition), (offset) => ({
        encodedValue: encode({
          payload: `p${partition}-s${offset}`,
          ...Object.fromEntries(
            Array.from({ length: version }, (_, n) => [`added_${n + 1}`, offset]),
          ),
        }),
      }))
    }
    for (let n = 1; n <= version; n++) this.produced.set(n, (this.produced.get(n) ?? 0) + count)
  }

  async #turn(ms: number): Promise<void> {
    const end = Date.now() + ms
    do {
      for (const { worker } of this.#actors) await worker.step()
      await sleep(STEP_MS)
    } while (Date.now() < end)
  }

  #isCommitted(): boolean {
    return this.#partitions().every((tp) => {
      const { end } = this.#topics.log(tp)
      return (this.#topics.committed.get(`${tp.topic}/${tp.partition}`) ?? 0) >= end
    })
  }

  #tp(partition: number): TopicPartition {
    return { topic: this.#topic, partition }
  }

  #partitions(): readonly TopicPartition[] {
    return this.#owners.map((_, partition) => this.#tp(partition))
  }

  #owner(partition: number): Actor {
    return this.#actors[this.#owners[partition] ?? 0] as Actor
  }

  #ownedBy(task: number): readonly TopicPartition[] {
    return this.#partitions().filter(({ partition }) => this.#owners[partition] === task)
  }
}
