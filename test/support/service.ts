// A part of the stack that goes away and comes back, always on its port.
import { type Part, startPart } from './processes.ts'

export interface Service {
  /** Resolves when it is ready. */
  start(): Promise<void>
  /** kill -9, and the process is gone. */
  kill(): Promise<void>
  /** Asks it to stop. */
  stop(): Promise<void>
  /** It keeps its connections and answers nothing (SIGSTOP). */
  freeze(): void
  /** Ends `freeze`. */
  thaw(): void
}

/** `dist/connector/cli/NAME.js` with always the same arguments. */
export function service(name: string, args: readonly string[], logFile: string): Service {
  let part: Part | undefined
  const send = (signal: NodeJS.Signals): void => {
    if (part !== undefined) process.kill(part.pid, signal)
  }
  const end = async (how: 'kill' | 'stop'): Promise<void> => {
    const ended = part
    part = undefined
    await ended?.[how]()
  }
  return {
    start: async () => {
      part = await startPart(name, args, logFile)
    },
    kill: () => end('kill'),
    stop: () => end('stop'),
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
  }
}
