import type { Clock } from '../api/clock.ts'

export interface WatchOptions {
  /** Of the worker. */
  readonly url: string
  readonly logFile: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

const POLL_MS = 5_000
const REQUEST_LIMIT_MS = 2_000

interface Status {
  readonly status: {
    readonly name: string
    readonly connector: { readonly state: string; readonly trace?: string }
    readonly tasks: readonly {
      readonly id: number
      readonly state: string
      readonly trace?: string
    }[]
  }
}

/** Says on the terminal when a connector or a task is not RUNNING for two looks in a row, and when it is again. */
export async function watchConnectors(options: WatchOptions): Promise<void> {
  const { clock, signal, say } = options
  let before = new Map<string, string>()
  const told = new Map<string, string>()
  while (!signal.aborted) {
    await clock.sleep(POLL_MS, signal).catch(() => undefined) // An abort ends the loop.
    const now = await troubles(options).catch(() => undefined) // The worker is being started again, which is said elsewhere.
    if (now === undefined || signal.aborted) continue
    for (const [subject, text] of now) {
      if (before.get(subject) !== text || told.get(subject) === text) continue
      told.set(subject, text)
      say(`${subject} ${text}; see ${options.logFile}`)
    }
    for (const subject of told.keys()) {
      if (now.has(subject)) continue
      told.delete(subject)
      say(`${subject} is RUNNING.`)
    }
    before = now
  }
}

async function troubles({ url }: WatchOptions): Promise<Map<string, string>> {
  const response = await fetch(`${url}/connectors?expand=status`, {
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  })
  const all = (await response.json()) as Readonly<Record<string, Status>>
  return troublesOf(Object.values(all).map(({ status }) => status))
}

/** What is neither RUNNING nor stopped by somebody, with its last cause, by its name. */
export function troublesOf(connectors: readonly Status['status'][]): Map<string, string> {
  const found = new Map<string, string>()
  const add = (subject: string, state: string, trace: string | undefined): void => {
    if (state === 'FAILED') found.set(subject, `is FAILED: ${causeOf(trace ?? '')}`)
    else if (state === 'UNASSIGNED') found.set(subject, 'waits for what it needs to start')
  }
  for (const { name, connector, tasks } of connectors) {
    add(`Connector ${name}`, connector.state, connector.trace)
    for (const task of tasks) add(`Task ${task.id} of ${name}`, task.state, task.trace)
  }
  return found
}

function causeOf(trace: string): string {
  const causes = trace.split('\n').filter((line) => line.startsWith('Caused by: '))
  return (causes.at(-1) ?? trace.split('\n', 1)[0] ?? '').replace('Caused by: ', '')
}
