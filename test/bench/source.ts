// One tick of all feeds at the weekday's peak: fetched over HTTP, decoded, compared, encoded as Avro and acknowledged by
// the embedded broker, next to decoding the same bodies alone with gtfs-realtime-bindings in the same run.
import { availableParallelism } from 'node:os'
import bindings from 'gtfs-realtime-bindings'
import { openSourceStage, secondsSince, type Tick } from './source-stage.ts'

const WARM_UP_TICKS = 3
const TICKS = 15
const MODES = ['all', 'changed'] as const

interface Yardstick {
  readonly wallMs: number
  readonly cpuSeconds: number
  readonly entities: number
  readonly bytes: number
}

interface Mode {
  readonly name: string
  readonly ticks: readonly Tick[]
  readonly alone: readonly Yardstick[]
}

/** `npm run bench -- source`. */
export async function runSourceBench(say: (text: string) => void): Promise<void> {
  const modes: Mode[] = []
  // oxlint-disable-next-line no-await-in-loop -- one after the other, for they share two cores
  for (const mode of MODES) modes.push(await run(mode))
  const [first] = modes[0]?.alone ?? []
  say(
    `one tick is ${first?.entities} entities in ${((first?.bytes ?? 0) / 1e6).toFixed(1)} MB from 13 feeds, every 30 s; ${TICKS} ticks after ${WARM_UP_TICKS} of warm-up, ${availableParallelism()} cores`,
  )
  say('acknowledged by the embedded broker, a process of its own as the feeds are')
  say(
    'emit.mode   records   Avro MB   wall ms median     p95   CPU s median     p95   of it encoding and sending',
  )
  for (const { name, ticks } of modes) {
    const of = (pick: (tick: Tick['figures']) => number): readonly number[] =>
      ticks.map(({ figures }) => pick(figures))
    const wall = of(({ wallMs }) => wallMs)
    const cpu = of(({ cpuSeconds }) => cpuSeconds)
    say(
      [
        name.padEnd(9),
        quantile(
          of(({ records }) => records),
          0.5,
        )
          .toFixed(0)
          .padStart(9),
        (
          quantile(
            of(({ bytes }) => bytes),
            0.5,
          ) / 1e6
        )
          .toFixed(1)
          .padStart(9),
        quantile(wall, 0.5).toFixed(0).padStart(16),
        quantile(wall, 0.95).toFixed(0).padStart(7),
        quantile(cpu, 0.5).toFixed(2).padStart(14),
        quantile(cpu, 0.95).toFixed(2).padStart(7),
        quantile(
          of(({ encodeCpuSeconds }) => encodeCpuSeconds),
          0.5,
        )
          .toFixed(2)
          .padStart(13),
      ].join(' '),
    )
  }
  const alone = modes.flatMap((mode) => mode.alone)
  const aloneCpu = quantile(
    alone.map(({ cpuSeconds }) => cpuSeconds),
    0.5,
  )
  say(
    `decoding alone (gtfs-realtime-bindings): ${quantile(
      alone.map(({ wallMs }) => wallMs),
      0.5,
    ).toFixed(0)} ms median, ${quantile(
      alone.map(({ wallMs }) => wallMs),
      0.95,
    ).toFixed(0)} p95, ${aloneCpu.toFixed(2)} CPU s`,
  )
  say(`source: ${modes.map((mode) => ratioOf(mode, aloneCpu)).join('; ')}`)
}

const ratioOf = ({ name, ticks }: Mode, aloneCpu: number): string => {
  const cpu = quantile(
    ticks.map(({ figures }) => figures.cpuSeconds),
    0.5,
  )
  return `${name} ${cpu.toFixed(2)} CPU s a tick, ${(cpu / aloneCpu).toFixed(1)} times decoding alone, ${((cpu / 30) * 100).toFixed(1)} % of a core`
}

async function run(name: (typeof MODES)[number]): Promise<Mode> {
  const stage = await openSourceStage(name)
  const ticks: Tick[] = []
  const alone: Yardstick[] = []
  try {
    for (let n = 0; n < WARM_UP_TICKS + TICKS; n++) {
      // oxlint-disable-next-line no-await-in-loop
      const tick = await stage.tick()
      const yardstick = decodeAlone(tick.bodies)
      if (n < WARM_UP_TICKS) continue
      ticks.push(tick)
      alone.push(yardstick)
    }
  } finally {
    await stage.close()
  }
  return { name, ticks, alone }
}

function decodeAlone(bodies: readonly Uint8Array[]): Yardstick {
  const before = process.cpuUsage()
  const beganMs = performance.now()
  let entities = 0
  for (const body of bodies) {
    entities += bindings.transit_realtime.FeedMessage.decode(body).entity.length
  }
  return {
    wallMs: performance.now() - beganMs,
    cpuSeconds: secondsSince(before),
    entities,
    bytes: bodies.reduce((sum, { length }) => sum + length, 0),
  }
}

/** The value below which such a share of them lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
