// How a part of the local stack lives in a process of its own: it tells its parent when it is ready, and it
// never outlives it, not even when the parent was killed with -9.

/** A part that runs. `stop` must resolve within a few seconds. */
export interface RunningPart {
  /** Sent to the parent, e.g. `{ url: 'http://127.0.0.1:8085' }`. */
  readonly ready: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

const STOP_LIMIT_MS = 10_000

/**
 * Starts a part and ends the process with it after a clean stop. With a parent (an IPC channel), the parent
 * alone decides when: by a message `{ stop: true }`, or by its own end, whatever that was. A signal that reaches
 * the whole process group must not stop an endpoint while a worker still has rows for it, so SIGTERM and SIGINT
 * count only without a parent. When `start` fails: code 1 and one line on standard error. Run by hand, without
 * a parent, it prints `ready` as one line of JSON.
 */
export async function runPart(name: string, start: () => Promise<RunningPart>): Promise<void> {
  let stopping = false
  let part: RunningPart | undefined
  const stop = (): void => {
    if (stopping) return
    stopping = true
    setTimeout(() => void leave(1), STOP_LIMIT_MS).unref()
    void (part?.stop() ?? Promise.resolve()).then(
      () => leave(0),
      (error: unknown) => fail(name, error),
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!process.connected) stop()
    })
  }
  process.on('disconnect', stop)
  process.on('message', (message) => {
    if ((message as { readonly stop?: boolean }).stop === true) stop()
  })
  try {
    part = await start()
  } catch (error) {
    fail(name, error)
  }
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(part.ready)}\n`)
  else process.send({ ready: part.ready })
}

/**
 * Ends the process now. `process.exit` waits for libuv's pool, and a call of the native Kafka client to a broker that is
 * gone holds a thread of it for as long as the client waits; the operating system's own exit waits for nothing.
 */
export async function leave(code: number): Promise<void> {
  try {
    const { default: koffi } = await import('koffi')
    const exit = koffi.load(null).func('void _exit(int)') as (status: number) => void
    exit(code)
  } catch {
    process.exit(code) // No koffi for this platform: the slow way has to do.
  }
}

function fail(name: string, error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  process.send?.({ failed: text })
  process.stderr.write(`${name}: ${text}\n`)
  process.exit(1)
}
