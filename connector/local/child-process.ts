// How a part of the local stack lives in a process of its own: it tells its parent when it is ready, and it
// never outlives it, not even when the parent was killed with -9.

/** A part that runs. `stop` must resolve within a few seconds. */
export interface RunningPart {
  /** Sent to the parent, e.g. `{ url: 'http://127.0.0.1:8085' }`. */
  readonly ready: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

const STOP_LIMIT_MS = 15_000

/**
 * Starts a part and ends the process with it: on SIGTERM and SIGINT after a clean stop with code 0; when
 * `start` fails with code 1 and one line on standard error; when the parent's IPC channel closes, also
 * after a clean stop. Run by hand, without a parent, it prints `ready` as one line of JSON.
 */
export async function runPart(name: string, start: () => Promise<RunningPart>): Promise<void> {
  let stopping = false
  let part: RunningPart | undefined
  const stop = (): void => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref()
    void (part?.stop() ?? Promise.resolve()).then(
      () => process.exit(0),
      (error: unknown) => fail(name, error),
    )
  }
  process.on('SIGTERM', stop)
  // With a parent, the parent decides the order in which parts stop after Ctrl-C.
  process.on('SIGINT', () => {
    if (!process.connected) stop()
  })
  process.on('disconnect', stop)
  try {
    part = await start()
  } catch (error) {
    fail(name, error)
  }
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(part.ready)}\n`)
  else process.send({ ready: part.ready })
}

function fail(name: string, error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  process.send?.({ failed: text })
  process.stderr.write(`${name}: ${text}\n`)
  process.exit(1)
}
