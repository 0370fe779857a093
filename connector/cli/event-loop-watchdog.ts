import { Worker } from 'node:worker_threads'
import type { OutsideWatch } from '../runtime/event-loop-watch.ts'

/** Names that are remembered; a worker has a dozen per task. Later ones go without a name. */
const CALLBACKS_MAX = 20_000

/**
 * What the thread does, as text: it runs from the sources and from the build alike, and loads nothing else, above all not
 * the native Kafka client. It counts its ticks instead of reading the clock, since a machine that was asleep has not been
 * blocked. Its lines are as the log's are, past the logger: that belongs to the thread which stands still.
 */
const THREAD = `
const { writeSync } = require('node:fs')
const { parentPort, workerData: { shared, limitMs } } = require('node:worker_threads')
const TICK_MS = 250
const state = new Int32Array(shared)
const callbacks = new Map()
let seen = -1, standingMs = 0, nextMs = limitMs
parentPort.on('message', ([number, callback]) => callbacks.set(number, callback))
setInterval(() => {
  const beat = Atomics.load(state, 0)
  if (beat !== seen) {
    seen = beat
    standingMs = 0
    nextMs = limitMs
    return
  }
  standingMs += TICK_MS
  if (standingMs < nextMs) return
  nextMs = standingMs * 2
  const callback = callbacks.get(Atomics.load(state, 1))
  const culprit = callback ?? 'what a plugin does after a wait, or the worker itself,'
  const msg = 'The event loop stands still: ' + culprit + ' does not let anything else run, REST neither.'
  const line = { level: 'error', time: new Date().toISOString(), callback, standingMs, msg }
  writeSync(1, JSON.stringify(line) + '\\n')
}, TICK_MS)
`

/** Starts the thread that tells, on standard output, when this one has stood still for `limitMs`. */
export function startEventLoopWatchdog(limitMs: number): OutsideWatch {
  const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
  const state = new Int32Array(shared)
  const numbers = new Map<string, number>()
  const thread = new Worker(THREAD, {
    eval: true,
    execArgv: [],
    workerData: { shared, limitMs },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  })
  thread.unref()
  // A watchdog that cannot run is no reason for the worker to end.
  thread.on('error', (error) => process.emitWarning(error))
  const numberOf = (callback: string): number => {
    const known = numbers.get(callback)
    if (known !== undefined) return known
    if (numbers.size >= CALLBACKS_MAX) return 0
    const number = numbers.size + 1
    numbers.set(callback, number)
    thread.postMessage([number, callback], [])
    return number
  }
  return {
    beat: () => {
      Atomics.add(state, 0, 1)
    },
    running: (callback) => {
      Atomics.store(state, 1, callback === undefined ? 0 : numberOf(callback))
    },
    close: async () => {
      await thread.terminate()
    },
  }
}
